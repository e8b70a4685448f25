"""What the command line can do: a module for each verb, or for a few that are alike.

Each has `define(parser, verb)`, which gives the verb its arguments and sets `run`, a function of them. It is
imported when the command line names the verb.
"""
