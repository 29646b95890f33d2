"""Files of the console that anybody may have: style, icons, the bundled scripts, the typeface."""

from pathlib import Path

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse

from web.doors import Open, services
from web.headers import HASHED
from web.refusals import Refusal

HERE = Path(__file__).parent / "static"

routes = APIRouter()


@routes.get("/static/{path:path}", dependencies=[Depends(Open())])
async def file(request: Request, path: str) -> FileResponse:
    if "\0" in path:
        raise Refusal(404, "There is no such file.")
    vendor = services(request).scripts
    root, name = (vendor, path.removeprefix("vendor/")) if path.startswith("vendor/") else (HERE, path)
    found = (root / name).resolve()
    if not found.is_relative_to(root.resolve()) or not found.is_file():
        raise Refusal(404, "There is no such file.")
    # an address with the content's hash may be kept for ever, any other is asked for again
    kept = HASHED if request.query_params.get("v") else "no-cache"
    return FileResponse(found, headers={"Cache-Control": kept})
