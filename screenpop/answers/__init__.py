"""The API's JSON as Shapes: what the document describes, what answers are made of, what the tests hold them against.

A Shape says what programs get and what they may send; it never decides anything.
"""
