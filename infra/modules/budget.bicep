// Sends a mail when the month's cost comes near the budget; it stops nothing.

@description('Required. Name of the budget.')
param name string

@description('Required. Amount a month, in the currency of the subscription.')
param amount int

@description('Required. First day of the month in which the budget begins.')
@minLength(10)
param startDate string

@description('Required. Who is told.')
param email string

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: startDate
    }
    notifications: {
      spent: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: [
          email
        ]
      }
      forecast: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: [
          email
        ]
      }
    }
  }
}
