"""The dataset stage: images from a folder, an archive, a URL or the generator to arrays and a card."""
