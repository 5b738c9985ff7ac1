"""HTTP: routes, the contract, what wraps every answer, and the process that serves."""
