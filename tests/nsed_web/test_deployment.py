"""What a deployment may choose, and how a wrong choice is told."""

import pytest

from nsed_web.deployment import BadSetting, Deployment, broker_url, channel_prefix, from_environment


def test_nothing_has_to_be_chosen() -> None:
    assert from_environment({}) == Deployment()


def test_every_kind_of_field_is_read() -> None:
    chosen = from_environment(
        {
            "NSED_LEASE_S": "2.5",
            "NSED_HEARTBEAT_S": "0.5",
            "NSED_WORKER_THREADS": "4",
            "NSED_PUBLIC_URL": "https://example.org",
            "NSED_BEAT_IN_WORKER": "1",
            "NSED_ENDPOINT_NETWORKS": "10.0.0.0/8, 127.0.0.0/8,",
        }
    )
    assert (chosen.lease_s, chosen.worker_threads, chosen.beat_in_worker) == (2.5, 4, True)
    assert chosen.public_url == "https://example.org"
    assert chosen.endpoint_networks == ("10.0.0.0/8", "127.0.0.0/8")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("NSED_LEASE_S", "soon"),
        ("NSED_LEASE_S", "inf"),
        ("NSED_LEASE_S", "nan"),
        ("NSED_SWEEP_S", "-1"),
        ("NSED_WORKER_THREADS", "1.5"),
        ("NSED_DEBUG", "yes"),
        ("NSED_PUBLIC_URL", "example.org"),
        ("NSED_PUBLIC_URL", "ftp://example.org"),
        ("NSED_HEARTBEAT_S", "30"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(name: str, text: str) -> None:
    with pytest.raises(BadSetting, match=name):
        from_environment({name: text})


@pytest.mark.parametrize(
    ("redis_url", "broker", "prefix"),
    [
        ("redis://cache:6379/3", "redis://cache:6379/3", "nsed3"),
        ("redis://cache:6379", "redis://cache:6379", "nsed0"),
        (
            "rediss://:word@cache/1?ssl_cert_reqs=required",
            "rediss://:word@cache/1?ssl_cert_reqs=required",
            "nsed1",
        ),
        ("unix:///run/valkey.sock?db=5", "redis+socket:///run/valkey.sock?virtual_host=5", "nsed5"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock?virtual_host=0", "nsed0"),
    ],
)
def test_one_redis_address_serves_celery_and_the_channel_layer(
    redis_url: str, broker: str, prefix: str
) -> None:
    assert broker_url(redis_url) == broker
    assert channel_prefix(redis_url) == prefix
