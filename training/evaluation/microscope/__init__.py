"""What every unit of a network looks for: pictures made for it, a name with evidence, its tuning, what it argues for.

``python -m training microscope`` runs all of it; docs/microscope.md has the figures and how they are to be read.
"""
