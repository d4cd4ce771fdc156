"""What is refused about members and invitations."""

from rest.errors import Conflict, NotFound


class LastOwner(Conflict):
    """The tenant would be left without an owner."""

    code = "member:last_owner"

    def __init__(self) -> None:
        super().__init__("An organisation needs at least one owner. Make somebody else an owner first.")


class AlreadyMember(Conflict):
    """The person belongs to the tenant already."""

    code = "member:already"

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is already a member of this organisation.", field="email")


class InvitationEnded(NotFound):
    """The link was used, cancelled, replaced or is too old, or never was one."""

    code = "invitation:ended"

    def __init__(self) -> None:
        super().__init__("This invitation is no longer valid. Ask an owner of the organisation for a new one.")
