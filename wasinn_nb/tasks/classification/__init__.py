"""Classification: classes of a whole image, the most probable first."""
