"""The mouse over the views of the page, in pixels from a view's middle."""


def over(page, view):
    """What lies over a view and takes its mouse."""
    return page.locator(f".vs-over[data-view={view}]")


def middle_of(page, view, right=0, down=0):
    """A point of the page, so far from a view's middle."""
    area = over(page, view).bounding_box()
    return area["x"] + area["width"] / 2 + right, area["y"] + area["height"] / 2 + down


def drag(page, view, right, down, button="left"):
    """Drag from a view's middle, as slowly as a hand, and wait until the page has followed."""
    x, y = middle_of(page, view)
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    for step in range(1, 6):
        page.mouse.move(x + right * step / 5, y + down * step / 5)
        page.wait_for_timeout(40)
    page.mouse.up(button=button)
    page.wait_for_timeout(300)
