"""The dialogue engine's process: Rasa 3.6.21 started by a launcher of ours, in an environment of its own.

`python -m bot.engine train …` and `python -m bot.engine serve …`. Nothing here may be imported by the product, and
nothing here imports the product: the two meet over HTTP on the loopback.
"""
