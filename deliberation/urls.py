"""Which view answers which path: the one list of this app's addresses."""

from django.urls import URLPattern, path

from deliberation.views import acts, people, policies, room, sessions

SESSION = "sessions/<uuid:session_id>/"

urlpatterns: list[URLPattern] = [
    path("", sessions.sessions, name="sessions"),
    path("new/", sessions.new, name="new"),
    path(SESSION, room.room, name="room"),
    path(f"{SESSION}receipt/", room.receipt, name="receipt"),
    path(f"{SESSION}ballot/", acts.ballot, name="ballot"),
    path(f"{SESSION}done/", acts.done, name="done"),
    path(f"{SESSION}veto/", acts.veto, name="veto"),
    path(f"{SESSION}veto/<int:veto_id>/withdraw/", acts.withdraw_veto, name="withdraw_veto"),
    path(f"{SESSION}guidance/", acts.guidance, name="guidance"),
    path(f"{SESSION}guidance/<int:guidance_id>/withdraw/", acts.withdraw_guidance, name="withdraw_guidance"),
    path(f"{SESSION}rule/", acts.rule, name="rule"),
    path(f"{SESSION}pause/", acts.pause, name="pause"),
    path(f"{SESSION}resume/", acts.resume, name="resume"),
    path(f"{SESSION}stop/", acts.stop, name="stop"),
    path(f"{SESSION}seat/", acts.take_seat, name="take_seat"),
    path(f"{SESSION}invite/", people.invite, name="invite"),
    path(f"{SESSION}answer/", people.answer_invitation, name="answer_invitation"),
    path("invitations/<str:token>/", people.invitation, name="invitation"),
    path("policies/", policies.policies, name="policies"),
    path("policies/new/", policies.new_policy, name="new_policy"),
    path("policies/<slug:name>/", policies.policy, name="policy"),
    path("policies/<slug:name>/edit/", policies.edit_policy, name="edit_policy"),
    path("sign-in/", people.sign_in, name="sign_in"),
    path("sign-in/link/", people.sign_in_link, name="sign_in_link"),
    path("sign-out/", people.sign_out, name="sign_out"),
]
