"""The networks that emulated VMs are on. `interface` says what all of them offer."""
