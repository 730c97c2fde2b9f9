from cli.processes import own_environment


def test_settings_exported_for_another_link_do_not_reach_the_demo() -> None:
    exported = {
        "DEEPSC_CHANNEL_LINKS": "lab.yaml",
        "DEEPSC_RECEIVER_PORT": "1",
        "DEEPSC_HOME": "/models",
        "PATH": "/bin",
    }
    assert own_environment(exported) == {"DEEPSC_HOME": "/models", "PATH": "/bin"}
