"""What the stock engine needs beside Rasa itself, and the action server that both engines call."""
