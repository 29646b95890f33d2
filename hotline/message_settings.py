"""Settings of messages: how they leave the house, and how what comes in is known to be the gateway's."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from hotline.caller_settings import Frozen


class Twilio(Frozen):
    """An account of Twilio's Programmable Messaging. `user` and `secret` sign our requests: an API key's SID and
    secret, or the account's SID and auth token."""

    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$")
    user: str = Field(min_length=1, max_length=100)
    secret: SecretStr
    sender: str = Field(min_length=1, max_length=34)
    """A number in E.164, a sender name, or a messaging service (MG…)."""
    reports_url: str | None = Field(None, pattern=r"^https://[^/?#]+(/[^?#]*)?/messages/reports$")
    """How Twilio reaches the console's /messages/reports; without it nothing is known of a delivery."""
    replies_url: str | None = Field(None, pattern=r"^https://[^/?#]+(/[^?#]*)?/messages/replies$")
    """How Twilio reaches the console's /messages/replies; without it nobody is asked by text."""
    auth_token: SecretStr | None = None
    """The account's auth token, by which reports and replies are known to be Twilio's."""

    @model_validator(mode="after")
    def _what_comes_in_is_checked(self) -> Self:
        for name, url in (("reports_url", self.reports_url), ("replies_url", self.replies_url)):
            if url is not None and self.auth_token is None:
                raise ValueError(f"messages.twilio.{name} and messages.twilio.auth_token: give both or none")
        if self.auth_token is not None and self.reports_url is None and self.replies_url is None:
            raise ValueError("messages.twilio.reports_url and messages.twilio.auth_token: give both or none")
        return self


class Messages(Frozen):
    """How messages leave the house."""

    gateway: Literal["file", "twilio"] = "file"
    twilio: Twilio | None = None

    @model_validator(mode="after")
    def _gateway_has_its_account(self) -> Self:
        if (self.gateway == "twilio") != (self.twilio is not None):
            raise ValueError('messages.gateway "twilio" and [messages.twilio]: give both or none')
        return self
