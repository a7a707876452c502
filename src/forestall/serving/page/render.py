"""Pages made of templates; their errors are pages, too."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, get_args
from urllib.parse import quote

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from forestall.drawing import scripts
from forestall.serving.api.exception_handlers import store_problem
from forestall.serving.api.logs import LOG
from forestall.serving.api.problem_json import request_id_of
from forestall.serving.api.problems import Problem
from forestall.serving.api.service import service_of
from forestall.serving.opinions import Status
from forestall.serving.page.formats import Formats
from forestall.serving.page.refused import Refused
from forestall.serving.page.static_files import address_of
from forestall.serving.page.visitor import Visitor, language_of
from forestall.serving.page.words import say
from forestall.serving.store.alarms import FINDINGS
from forestall.serving.store.errors import StoreError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store, private",
    "referrer-policy": "same-origin",
}
TOLD = (400, 403, 404, 408, 413, 415, 422, 429, 500, 503, 507)  # the statuses that have words of their own
TEMPLATES = Environment(
    loader=PackageLoader("forestall.serving.page"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(
    request: Request, visitor: Visitor | None, template: str, status: int = 200, **values: Any
) -> HTMLResponse:
    """A template as a response, in the visitor's language."""
    champion = service_of(request).champion.serving
    language = visitor.language if visitor else language_of(request)
    formats = Formats(language, champion.bundle.reference if champion else None)

    def text(key: str, **words: object) -> str:
        return say(key, words, language)

    here = address_of_page(request)
    about = {"here": here, "visitor": visitor, "language": language, "t": text, "f": formats}
    content = TEMPLATES.get_template(template).render(**about, **values)
    return HTMLResponse(content, status, HEADERS)


def path_of(*parts: object) -> str:
    """An address of these segments, whatever is in them."""
    return "/" + "/".join(quote(str(part), safe="") for part in parts)


def json_of(content: Any) -> Markup:
    """JSON inside a script element: no `<` in it can end the element or begin another."""
    return Markup(orjson.dumps(content).decode().replace("<", "\\u003c"))


def anchor_of(component: str) -> str:
    """Where a machine's page has a component: an id that no other of the page is, whatever is in the name."""
    return f"part-{quote(component, safe='').replace('%', '_')}"


# What every template can call and name, whoever looks at it.
TEMPLATES.globals |= {
    "anchor_of": anchor_of,
    "drawing_scripts": list(scripts()),
    "findings": FINDINGS,
    "json_of": json_of,
    "path_of": path_of,
    "static": address_of,
    "statuses": get_args(Status),
}


def address_of_page(request: Request) -> str:
    """The address that was asked for, as it was sent: decoded, a name with a question mark would end there."""
    path, query = request.scope["raw_path"].decode("ascii", "replace"), request.url.query
    return f"{path}?{query}" if query else str(path)


def is_fragment(request: Request) -> bool:
    """Whether a piece of a page is wanted."""
    return "hx-request" in request.headers


class PageRoute(APIRoute):
    """A route whose errors are told to people. Who may get a page may ask for its headers alone."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if self.methods and "GET" in self.methods:
            self.methods.add("HEAD")

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's, with errors as pages."""
        handler = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handler(request)
            except Problem as problem:
                return error_page(request, problem)
            except RequestValidationError:
                return error_page(request, Problem(404, "There is no such page."))
            except StoreError as error:
                return error_page(request, store_problem(error, request.scope))
            except Exception:
                LOG.exception("failed", extra={"fields": {"request_id": request_id_of(request.scope)}})
                return error_page(request, Problem(500, "The service failed. Its log says more."))

        return told


def error_page(request: Request, problem: Problem) -> Response:
    """What went wrong, and what to do; who is not signed in is asked to."""
    if problem.status == 401:
        return _to_sign_in(request)
    about = {
        "problem": problem,
        "text": _text_of(problem),
        "id": request_id_of(request.scope),
    }
    template = "error_fragment.html" if is_fragment(request) else "error.html"
    page = html(request, None, template, problem.status, **about)
    page.headers.update(problem.headers)
    return page


def _text_of(problem: Problem) -> str:
    """The key of what people are told of a problem."""
    if isinstance(problem, Refused):
        return problem.key
    return f"page.about_{problem.status if problem.status in TOLD else 'other'}"


def _to_sign_in(request: Request) -> Response:
    address = f"/sign-in?next={quote(_page_of(request), safe='')}"
    if is_fragment(request):
        return Response(status_code=401, headers={"HX-Redirect": address, **HEADERS})
    return RedirectResponse(address, 303, HEADERS)


def _page_of(request: Request) -> str:
    """The address of the page that somebody was on, to come back to."""
    if is_fragment(request):
        _, _, rest = request.headers.get("hx-current-url", "").partition("://")
        return f"/{rest.partition('/')[2].partition('#')[0]}"
    return address_of_page(request) if request.method in ("GET", "HEAD") else "/"
