"""Groups of people compared: whom the models selected, how far the groups lie apart, and whether it is proven."""
