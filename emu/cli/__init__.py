"""The `emu` command: one module per sub-command."""
