"""What is shown of a store's address."""

from urllib.parse import quote, unquote

import pytest

from jobs.formats.address import shown, without_secrets

ADDRESSES = (
    "https://{}@mlflow.example.org/base",
    "postgresql+psycopg2://{}@db:5432/runs?sslmode=require&password=s3cr%2Fet",
    "https://{}@[::1]:5000",
)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("user", ["me:s3cr%2Fet", "me:s3cr/et", "s3cr%2Fet", "me:s3cr/et@x#y?z"])
def test_no_secret_of_an_address_is_shown(address: str, user: str) -> None:
    uri = address.format(user)
    password = user.partition(":")[2] or user
    told = f"API request to {uri} failed: {unquote(password)} ({quote(unquote(password), safe='')}) of {user}"
    for text in (shown(uri), without_secrets(told, uri)):
        assert "s3cr" not in text, text


def test_the_place_is_shown() -> None:
    assert shown("https://me:pw@mlflow.example.org/base?a=b") == "https://mlflow.example.org/base"
    assert shown("sqlite:////tmp/runs.db") == "sqlite:////tmp/runs.db"
    assert shown("mlruns") == "mlruns" and without_secrets("no mlruns", "mlruns") == "no mlruns"


def test_a_token_of_the_environment_is_hidden_too() -> None:
    assert without_secrets("Bearer abc was refused", "https://h/", ["abc", ""]) == "Bearer *** was refused"
