"""What may go wrong with embedded servers, each as one sentence a person can act on."""


class ServersFailed(Exception):
    """The servers cannot start, or one of them ended; the sentence says why, Chinese first."""

    def __init__(self, chinese: str, english: str) -> None:
        super().__init__(f"{chinese} / {english}")
        self.chinese = chinese
        self.english = english


class AlreadyRunning(ServersFailed):
    """Another process holds this home; says where it answers and under which pid."""

    def __init__(self, *, address: str | None, pid: int | None) -> None:
        self.address = address
        self.pid = pid
        process = "" if pid is None else f" (pid {pid})"
        if address is None:
            super().__init__(f"正在启动{process}", f"already starting{process}")
        else:
            super().__init__(
                f"已在 {address} 运行{process}", f"already running at {address}{process}"
            )
