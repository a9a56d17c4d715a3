"""What makes and judges the networks of VSClickCorrect; not shipped into Slicer."""
