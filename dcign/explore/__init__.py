"""In: a trained run or a data set. Out: a page in the browser, served or as static files, that explores it.

Never imported by anything but `dcign.commands`.
"""
