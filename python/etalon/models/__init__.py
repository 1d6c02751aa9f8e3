"""Built-in models, one folder each; the folder's name is the model's name."""
