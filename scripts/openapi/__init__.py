"""What `openapi.yaml` is written from: the table of routes, pydantic's models, and what only people need.

Each module of operations says of its routes what they are for, what comes back and how that looks; `page`
puts them together. The models of answers are held against what the bridge answers by `tests/test_openapi.py`.
"""
