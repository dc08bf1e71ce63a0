def experience_page(fit):
    return ""
