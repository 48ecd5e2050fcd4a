"""How the shipped model was made: drawn scenes, a network trained on them, and its figures."""
