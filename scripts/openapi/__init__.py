"""Write `openapi.yaml` from the table of routes, pydantic's models, and the descriptions and examples here.

The modules of operations describe the purpose, answers and examples of their routes; `page` joins them.
`tests/test_openapi.py` compares the models of answers with the bridge's answers.
"""
