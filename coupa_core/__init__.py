"""The bridge between Coupa's approvals and the people who must give them, without any of Azure's triggers."""
