from fastapi import APIRouter

from web.pages import Pages


def router(pages: Pages) -> APIRouter:
    return APIRouter()
