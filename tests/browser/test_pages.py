"""Every page of the families and every error, with invented facts, in the real browser."""

from pathlib import Path

import pytest

from tests.browser.preview import ORIGIN, POLICY, open_pages
from tests.browser.samples import PAGES
from tests.chromium import DESKTOP, PHONE, find_barriers, is_wider_than_its_window, open_chromium

pytestmark = pytest.mark.browser

TEMPLATES = Path(__file__).parents[2] / "templates"
CARRIES_A_NONCE = "signin/form_post"
SMALLEST = {"width": 320, "height": 640}
NAMES_WITH_TABLES = [
    "account/security",
    "admin/clients",
    "admin/deliveries",
    "admin/keys",
    "admin/maintenance",
    "admin/registration_tokens",
    "staff/household",
    "staff/search",
]
#: A label is generated content, which has no box to ask for: a word that is written in its place,
#: under the same rules, has.
LABELS_THAT_RUN_INTO_WORDS = """() => {
    const write = rules => { for (const rule of [...rules]) {
        if (rule.cssRules?.length) write(rule.cssRules);
        if (rule.selectorText?.endsWith('td::before')) {
            const outer = rule.parentRule ?? rule.parentStyleSheet;
            const text = rule.cssText.replace('td::before', 'td > .probe');
            outer.insertRule(text, [...outer.cssRules].indexOf(rule));
        }
    } };
    const sheet = document.styleSheets[0];
    write(sheet.cssRules);
    sheet.insertRule('.table td:has(> .probe)::before { content: none !important; }', 0);
    const boxesOf = node => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return [...range.getClientRects()];
    };
    const labels = [...document.querySelectorAll('.table td[data-label]')].map(cell => {
        const label = document.createElement('span');
        label.className = 'probe';
        label.textContent = cell.dataset.label;
        cell.prepend(label);
        return label;
    });
    const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
    const words = [];
    while (texts.nextNode()) {
        const node = texts.currentNode;
        if (node.data.trim() && !node.parentElement.closest('thead, .visually-hidden'))
            words.push({node, boxes: boxesOf(node)});
    }
    const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
    return labels.flatMap(label => words
        .filter(word => !label.contains(word.node))
        .filter(word => boxesOf(label).some(a => word.boxes.some(b => meet(a, b))))
        .map(word => `${label.textContent} × ${word.node.data.trim()}`));
}"""


@pytest.fixture(scope="module")
def browser():
    with open_chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(browser):
    with open_pages(browser, viewport=PHONE) as opened:
        yield opened


@pytest.fixture(scope="module")
def plain_page(browser):
    """A browser in which scripts are off."""
    with open_pages(browser, viewport=PHONE, java_script_enabled=False) as opened:
        yield opened


@pytest.fixture
def visit(page):
    def go(name, lang="ja", size=PHONE):
        page.set_viewport_size(size)
        page.goto(f"{ORIGIN}/{lang}/{name}")
        return page

    return go


def test_every_template_of_the_families_has_a_sample():
    shipped = {
        f"{folder}/{path.stem}"
        for folder in ("signin", "account", "error")
        for path in (TEMPLATES / folder).glob("[!_]*.html")
    }
    assert shipped <= {name.partition("--")[0] for name in PAGES}


@pytest.mark.parametrize(("lang", "size"), [("ja", PHONE), ("en", DESKTOP)], ids=["ja", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_barrier_and_fits_every_window(visit, name, lang, size):
    page = visit(name, lang, size)
    assert find_barriers(page) == []
    for other in (size, SMALLEST, PHONE, DESKTOP):
        page.set_viewport_size(other)
        assert not is_wider_than_its_window(page), other


@pytest.mark.parametrize("name", [name for name in PAGES if name != CARRIES_A_NONCE])
def test_a_page_needs_nothing_that_the_policy_refuses(page, name):
    refused = []

    def note(line):
        if line.type == "error":
            refused.append(line.text)

    page.on("console", note)
    page.goto(f"{ORIGIN}/ja/{name}")
    page.remove_listener("console", note)
    assert refused == []


@pytest.mark.parametrize("name", ["signin/login--wrong", "account/security", "signin/terms"])
def test_a_page_can_be_read_at_four_times_its_size(visit, name):
    # WCAG 1.4.10: 1280 px at 400 % are 320 px; 1.4.4: text alone at 200 %.
    page = visit(name, size=SMALLEST)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert not is_wider_than_its_window(page)


@pytest.mark.parametrize("name", [name for name in PAGES if "--" not in name])
def test_a_phone_with_letters_twice_as_large_need_not_scroll_sideways(visit, name):
    # WCAG 1.4.4 and 1.4.10. Half the width with usual letters is laid out the same way.
    page = visit(name, size={"width": PHONE["width"] // 2, "height": 600})
    assert not is_wider_than_its_window(page)


@pytest.mark.parametrize("percent", [100, 200])
@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("width", [180, 320, 360, 700])
def test_in_a_table_as_cards_no_label_runs_into_other_words(visit, width, lang, percent):
    for name in NAMES_WITH_TABLES:
        page = visit(name, lang, {"width": width, "height": 740})
        page.evaluate("size => { document.documentElement.style.fontSize = size; }", f"{percent}%")
        assert page.locator(".table td[data-label]").count() > 0, name
        assert page.evaluate(LABELS_THAT_RUN_INTO_WORDS) == [], name


@pytest.mark.parametrize("name", PAGES)
def test_what_can_be_touched_is_44_pixels_high(visit, name):
    page = visit(name)
    small = page.evaluate(
        """() => [...document.querySelectorAll('main :is(.button, .input, select, .link-list a)'
               + ', .languages a, .footer a, .nav a')]
           .filter(e => e.offsetParent && e.getBoundingClientRect().height < 44)
           .map(e => e.outerHTML)"""
    )
    assert small == []


def test_a23_the_password_is_shown_and_hidden_in_words_and_never_sent_as_text(visit):
    page = visit("signin/login")
    field, button = page.locator("#password"), page.locator("[data-password-toggle]")
    assert button.inner_text() == "表示する"
    button.click()
    assert field.get_attribute("type") == "text"
    assert (button.inner_text(), button.get_attribute("aria-label")) == (
        "かくす",
        "パスワードをかくす",
    )
    assert page.locator("[aria-live]").inner_text() == "パスワードを表示しています。"
    page.evaluate("document.forms[0].addEventListener('submit', e => e.preventDefault())")
    page.locator("button[type=submit]").first.click()
    assert field.get_attribute("type") == "password"


def test_b15_caps_lock_is_said_while_it_is_on(visit):
    page = visit("signin/login")
    press = """on => {
        const key = new KeyboardEvent('keyup', {key: 'A', modifierCapsLock: on});
        document.getElementById('password').dispatchEvent(key);
    }"""
    hint = page.locator("[data-caps-hint]")
    assert not hint.is_visible()
    page.evaluate(press, True)
    assert hint.is_visible()
    page.evaluate(press, False)
    assert not hint.is_visible()


@pytest.mark.parametrize(
    ("typed", "met"),
    [
        ("short", []),
        ("longenough", ["length"]),
        ("Longenough1", ["length", "classes"]),
        ("Ｌｏｎｇｅｎｏｕｇｈ１", ["length", "classes"]),
        ("しろいねこがさんびきおひるね", ["length"]),
        ("しろいねこがさんびきおひるねした", ["length", "classes"]),
        ("Ab1!", ["classes"]),
        ("🐈🐈🐈🐈🐈", []),
    ],
)
def test_a14_the_rules_answer_while_typing_as_the_server_counts(visit, typed, met):
    page = visit("signin/reset_new")
    page.locator("#new_password").fill(typed)
    rules = ("length", "classes", "guessable")
    shown = [r for r in rules if page.locator(f"[data-rule={r}].is-met").count()]
    assert shown == met


def test_b24_the_rules_stand_on_the_page_and_belong_to_the_field(visit):
    page = visit("signin/reset_new")
    assert "password-rules" in page.locator("#new_password").get_attribute("aria-describedby")
    assert "10文字以上" in page.locator("#password-rules").inner_text()


def test_after_a_refused_form_the_summary_has_the_focus_and_leads_to_the_field(visit):
    page = visit("signin/reset_request--mismatch")
    assert page.title().startswith("エラー：")
    assert page.evaluate("document.activeElement.className") == "error-summary"
    page.locator(".error-summary a").click()
    assert page.evaluate("document.activeElement.id") == "email_confirm"
    label = page.locator("label[for=email_confirm]").bounding_box()
    assert 0 <= label["y"] < PHONE["height"]


def test_every_error_links_to_a_field_that_exists(visit):
    for name in (each for each in PAGES if "errors" in PAGES[each]):
        page = visit(name)
        for link in page.locator(".error-summary a").all():
            assert page.locator(link.get_attribute("href")).count() == 1, name
        for field in page.locator("[aria-invalid]").all():
            for target in field.get_attribute("aria-describedby").split():
                assert page.locator(f"#{target}").count() == 1, name


def test_a_double_click_sends_once_and_a_later_click_again(visit):
    page = visit("signin/locked")
    page = visit("signin/code")
    page.evaluate(
        """() => { window.sent = 0; document.forms[0].addEventListener('submit', event => {
             if (!event.defaultPrevented) window.sent += 1; event.preventDefault(); }); }"""
    )
    button = page.locator("main form button[type=submit]").first
    button.dblclick()
    assert page.evaluate("window.sent") == 1
    page.clock.install()
    page.clock.fast_forward(3000)
    button.click()
    assert page.evaluate("window.sent") == 2


def test_the_seconds_until_a_mail_can_be_sent_again_run_down(page):
    page.clock.install()
    page.goto(f"{ORIGIN}/ja/signin/code--resent")
    line = page.locator("[data-countdown]")
    assert line.inner_text() == "あと30秒で、もう一度送れます。"
    page.clock.run_for(5000)
    assert line.inner_text() == "あと25秒で、もう一度送れます。"
    page.clock.run_for(26_000)
    assert line.inner_text() == "もう一度送れます。"


@pytest.mark.parametrize("name", ["signin/login", "signin/reset_new", "signin/code--resent"])
def test_b40_without_scripts_every_field_and_button_is_there_and_nothing_that_needs_one(
    plain_page, name
):
    plain_page.goto(f"{ORIGIN}/ja/{name}")
    for field in plain_page.locator("main form input:not(.visually-hidden)").all():
        assert field.is_visible()
    for button in plain_page.locator("main button[type=submit]").all():
        assert button.is_visible()
    assert (
        plain_page.locator("[data-password-toggle]:visible, [data-caps-hint]:visible").count() == 0
    )


def test_the_way_of_the_tabulator_follows_the_page(visit):
    page = visit("signin/login--for-app", size=DESKTOP)
    order = []
    for _ in range(13):
        page.keyboard.press("Tab")
        order.append(
            page.evaluate(
                "(document.activeElement.id || document.activeElement.getAttribute('href')"
                " || document.activeElement.textContent).trim()"
            )
        )
    assert order[0] == "#main"
    assert order[4:11] == [
        "login_id",
        "password",
        "表示する",
        "shared_device",
        "keep_signed_in",
        "ログイン",
        f"やめて {PAGES['signin/login--for-app']['client_name']} に戻る",
    ]


def test_br_09_a_page_asks_no_other_host_for_anything(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{ORIGIN}/ja/signin/consent")
    assert [url for url in asked if not url.startswith(ORIGIN)] == []


def test_on_paper_only_the_text_remains(visit):
    page = visit("account/document")
    page.emulate_media(media="print")
    assert page.locator(".header:visible, .footer:visible, .help:visible").count() == 0
    assert page.locator(".prose").is_visible()
    page.emulate_media(media="screen")


def test_in_forced_colours_focus_and_steps_stay_visible(visit):
    page = visit("signin/login")
    page.emulate_media(forced_colors="active")
    page.locator("#login_id").focus()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.emulate_media(forced_colors="none")


def test_br_04_the_preview_holds_pages_to_the_policy_of_the_provider():
    assert "unsafe-inline" not in POLICY
