"""Drawing: the atlas renderer, shadow maps, truth layers and landmarks.

In: faces as arrays, labels, and a scene. Out: images, masks and layers of truth as arrays.
Never imports facegen, and knows neither configurations nor files.
"""
