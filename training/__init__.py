"""How the shipped model was made: drawn street scenes, a network trained on them, and its figures."""
