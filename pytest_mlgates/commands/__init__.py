"""The subcommands of `mlgates`. They import what they need when they run, so that `mlgates --help` is quick."""
