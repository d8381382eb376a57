"""Channels and code templates for Mirth Connect 3.12 to 4.5 and the Open Integration Engine, made for a site."""
