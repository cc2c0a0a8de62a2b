"""Spreadsheets on their way in: template, upload, mapping, judgement, deed, error workbook, undo.

A file is read once, by a child process with bounds of its own (`reader.py`), into lines of plain text
(`sheets.py`); every later step goes through these lines in constant memory.
"""
