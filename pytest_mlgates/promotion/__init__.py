"""The log read and appended to, and the alias made to follow it: a decision carried out, or finished for another."""
