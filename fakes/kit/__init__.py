"""What the fakes share: a clock, faults, the control API, a consent page, a server.

`clock`       one clock for all fakes
`server`      `Fake`, the base of each vendor's WSGI application
`control`     the calls under `/_fake/`
`errors`      refusals and lost connections
`faults`      what can go wrong on the wire, on command
`records`     rows that can be read as they were before the last change
`consent`     the page on which a user gives an application access
`plain_json`  JSON with Decimal numbers
`running`     the fakes as servers on loopback
"""
