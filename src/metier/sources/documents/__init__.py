"""Résumé documents -> text a reader sees -> `Candidate`: `reading.read_document`, `recognise.candidate`.

Every byte of a document is parsed in a child process (`worker`) that `confine` has taken memory, time, files, programs
and network from. This file imports nothing, so that a child loads only what its document needs.
"""
