"""How the suite's scripted browser (HtmlUnit: forms, no modern scripts) walks through our pages."""

LOGIN_ID, PASSWORD = "conformance@example.jp", "Himawari-42-batake"
#: What our pages say: the scripted browser may ask for either language.
SIGN_IN = "ログイン|Sign in"
REFUSED = "できません|cannot continue|not possible"
ASKED = "ログアウト|sign out"
SIGNED_OUT = "ログアウトしました|signed out"
#: The suite's own page, where every walk ends.
DONE = {
    "task": "Back at the client",
    "match": "*/test/*/callback*",
    "commands": [["wait", "id", "submission_complete", 10]],
}


def type_in(*, picture: bool) -> dict:
    """Fill in the sign-in page; `picture` shows the certifier that it came again."""
    look = [["wait", "xpath", "//*", 10, SIGN_IN, "update-image-placeholder-optional"]]
    return {
        "task": "Sign in",
        "optional": True,
        "match": "https://*/login*",
        "commands": [
            *(look if picture else []),
            ["text", "name", "login_id", LOGIN_ID, "optional"],
            ["text", "name", "password", PASSWORD, "optional"],
            ["click", "css", "main form.flow button[type=submit]", "optional"],
        ],
    }


CONSENT = {
    "task": "Consent",
    "optional": True,
    "match": "https://*/consent*",
    "commands": [["click", "css", "button[name=decision][value=allow]", "optional"]],
}
CANCEL = {
    "task": "Cancel",
    "optional": True,
    "match": "https://*/login*",
    "commands": [["click", "css", "form[action^='/cancel'] button"]],
}


def walk(issuer: str, *, picture: bool = False, first: dict | None = None) -> dict:
    """Sign in, consent, return to the client."""
    tasks = [first, DONE] if first else [type_in(picture=picture), CONSENT, DONE]
    return {"match": f"{issuer}/authorize*", "tasks": tasks}


def look_at(match: str, words: str) -> dict:
    """Expect a page of ours and nothing after it."""
    commands = [["wait", "xpath", "//*", 10, words, "update-image-placeholder"]]
    return {"match": match, "tasks": [{"task": "A page of ours", "commands": commands}]}


def look_or_return(match: str, words: str, *, suite: str) -> dict:
    """Take either: an error on a page of ours, or one that is sent to the client.

    The second pattern names the suite: the callback also stands in the query of a request.
    """
    look = ["wait", "xpath", "//*", 10, words, "update-image-placeholder-optional"]
    return {
        "match": match,
        "tasks": [
            {"task": "Look", "optional": True, "match": match, "commands": [look]},
            {**DONE, "optional": True, "match": f"{suite}/test/*/callback*"},
        ],
    }


def first_visit(issuer: str) -> dict:
    """Open the sign-in page once and leave it."""
    look = ["wait", "xpath", "//*", 10, SIGN_IN]
    return {
        "match": f"{issuer}/authorize*",
        "match-limit": 1,
        "tasks": [{"task": "See the sign-in page", "commands": [look]}],
    }


def sign_out(issuer: str, *, words: str | None = None) -> dict:
    """Press the button of the question, if it comes; with `words` stay on a page of ours."""
    match = f"{issuer}/end_session*"
    press = ["click", "css", "button[name=decision][value=logout]", "optional"]
    ask = {"task": "Yes", "optional": True, "match": match, "commands": [press]}
    if words is None:
        return {"match": match, "tasks": [ask, {"task": "Back", "match": "*/test/*/post*"}]}
    look = ["wait", "xpath", "//*", 10, words, "update-image-placeholder"]
    return {"match": match, "tasks": [ask, {"task": "Signed out", "commands": [look]}]}
