// Alerts, also for a bridge that stops. Each query returns rows exactly when somebody must act; docs/runbook.md has the
// steps.
//
// A state (isEvent: false) sends a mail when it begins and when it ends, and none in between. An event sends one each
// time, and never ends: its rule keeps no state, and its window is as long as the time between two evaluations, so that
// each row is in one window. Azure evaluates rows that come late into the log again.
// The mail has the values of the dimension by which a rule is split, and each value has a mail of its own: up to 6,000
// at once for an event, 300 for a state. One address gets up to 100 mails an hour.
// Sources: https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-overview#alerts-and-state,
// https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-troubleshoot-log,
// https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits#alerts

@description('Required. Begins the names.')
param namePrefix string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Application Insights component that is asked.')
param componentName string

@description('Required. Who is told.')
param email string

@description('Required. People for whom one caller may act within 15 minutes before it is an alarm.')
param manyPeople int

var rules = [
  {
    name: 'no-complete-sweep'
    severity: 1
    windowSize: 'PT10M'
    isEvent: false
    splitBy: ''
    summary: 'No sweep saw every pending approval for 10 minutes.'
    query: loadTextContent('../alerts/no-complete-sweep.kql')
  }
  {
    name: 'not-told'
    severity: 1
    windowSize: 'PT10M'
    isEvent: false
    splitBy: ''
    summary: 'People should have been told something 15 minutes ago, and were not.'
    query: loadTextContent('../alerts/not-told.kql')
  }
  {
    name: 'credentials-refused'
    severity: 1
    windowSize: 'PT15M'
    isEvent: false
    splitBy: ''
    summary: 'Coupa, Moveworks or the table store refuses our credentials, or has another address.'
    query: loadTextContent('../alerts/credentials-refused.kql')
  }
  {
    name: 'moveworks-out-of-reach'
    severity: 1
    windowSize: 'PT15M'
    isEvent: false
    splitBy: ''
    summary: 'Moveworks has taken no message for several sweeps.'
    query: loadTextContent('../alerts/moveworks-out-of-reach.kql')
  }
  {
    name: 'approval-parked'
    severity: 2
    windowSize: 'PT5M'
    isEvent: true
    splitBy: 'approval_id'
    summary: 'An approval is parked: its approver is not told before somebody acts.'
    query: loadTextContent('../alerts/approval-parked.kql')
  }
  {
    name: 'outcome-unknown'
    severity: 2
    windowSize: 'PT5M'
    isEvent: true
    splitBy: 'subject'
    summary: 'A message or a decision was sent, and what became of it is not known.'
    query: loadTextContent('../alerts/outcome-unknown.kql')
  }
  {
    name: 'refused-callers'
    severity: 2
    windowSize: 'PT15M'
    isEvent: false
    splitBy: ''
    summary: 'Many requests without a valid key or token.'
    query: loadTextContent('../alerts/refused-callers.kql')
  }
  {
    name: 'server-errors'
    severity: 2
    windowSize: 'PT15M'
    isEvent: false
    splitBy: ''
    summary: 'Requests that end with 5xx.'
    query: loadTextContent('../alerts/server-errors.kql')
  }
  {
    name: 'many-people'
    severity: 1
    windowSize: 'PT15M'
    isEvent: false
    splitBy: ''
    summary: 'One caller saw or decided for many people in a short time.'
    query: replace(loadTextContent('../alerts/many-people.kql'), 'people >= 30', 'people >= ${manyPeople}')
  }
  {
    name: 'audit-not-recorded'
    severity: 1
    windowSize: 'PT15M'
    isEvent: false
    splitBy: ''
    summary: 'The audit record does not take what happens: broken, with a foreign seal at its end, or out of reach.'
    query: loadTextContent('../alerts/audit-not-recorded.kql')
  }
  {
    name: 'audit-set-back'
    severity: 1
    windowSize: 'P1D'
    isEvent: false
    splitBy: 'prev'
    summary: 'The audit record went on twice from the same place: its table was set back in between.'
    query: loadTextContent('../alerts/audit-set-back.kql')
  }
  {
    name: 'audit-begun'
    severity: 2
    windowSize: 'PT5M'
    isEvent: true
    splitBy: 'day'
    summary: 'The audit record was begun from nothing; expected after a first deployment or with a new AUDIT_TABLE.'
    query: loadTextContent('../alerts/audit-begun.kql')
  }
]

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${namePrefix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'approvals'
    enabled: true
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = [
  for rule in rules: {
    name: '${namePrefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.name
      description: '${rule.summary} See ${rule.name} in docs/runbook.md.'
      severity: rule.severity
      enabled: true
      autoMitigate: !rule.isEvent
      skipQueryValidation: true
      scopes: [
        component.id
      ]
      evaluationFrequency: 'PT5M'
      windowSize: rule.windowSize
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            dimensions: empty(rule.splitBy) ? [] : [{ name: rule.splitBy, operator: 'Include', values: ['*'] }]
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [
          operators.id
        ]
      }
    }
  }
]

@description('Who is told.')
output actionGroupId string = operators.id
