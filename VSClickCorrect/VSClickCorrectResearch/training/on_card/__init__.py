"""Training the click network on a graphics card, where everything but the simulation of cases stays."""
