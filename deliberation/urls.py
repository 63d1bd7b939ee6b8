"""Which view answers which path: the one list of this app's addresses."""

from django.urls import URLPattern, path
from django.views.generic import TemplateView

from deliberation import glossary
from deliberation.views import (
    acts,
    compare,
    design,
    estimates,
    fork,
    jump,
    people,
    policies,
    replay,
    room,
    sessions,
    verdict,
    what_if,
)

SESSION = "sessions/<uuid:session_id>/"

urlpatterns: list[URLPattern] = [
    path("", sessions.sessions, name="sessions"),
    path("new/", sessions.new, name="new"),
    path("new/estimate/<int:policy_id>/<uuid:page>/", estimates.estimate, name="estimate"),
    path(SESSION, room.room, name="room"),
    path(f"{SESSION}receipt/", room.receipt, name="receipt"),
    path(f"{SESSION}what-if/", what_if.what_if, name="what_if"),
    path(f"{SESSION}verdict/", verdict.verdict, name="verdict"),
    path(f"{SESSION}verdict.html", verdict.verdict_file, name="verdict_file"),
    path(f"{SESSION}replay/", replay.replay_session, name="replay"),
    path(f"{SESSION}replay/recompute/", replay.recompute_session, name="recompute"),
    path(f"{SESSION}fork/", fork.fork, name="fork"),
    path("compare/", compare.compare_sessions, name="compare"),
    path(f"{SESSION}ballot/", acts.ballot, name="ballot"),
    path(f"{SESSION}done/", acts.done, name="done"),
    path(f"{SESSION}veto/", acts.veto, name="veto"),
    path(f"{SESSION}veto/<int:veto_id>/withdraw/", acts.withdraw_veto, name="withdraw_veto"),
    path(f"{SESSION}guidance/", acts.guidance, name="guidance"),
    path(f"{SESSION}guidance/<int:guidance_id>/withdraw/", acts.withdraw_guidance, name="withdraw_guidance"),
    path(f"{SESSION}propose/", acts.own_proposal, name="own_proposal"),
    path(f"{SESSION}propose/withdraw/", acts.withdraw_own_proposal, name="withdraw_own_proposal"),
    path(f"{SESSION}rule/", acts.rule, name="rule"),
    path(f"{SESSION}overturn/", acts.overturn, name="overturn"),
    path(f"{SESSION}pause/", acts.pause, name="pause"),
    path(f"{SESSION}resume/", acts.resume, name="resume"),
    path(f"{SESSION}stop/", acts.stop, name="stop"),
    path(f"{SESSION}more/", acts.one_more_round, name="one_more_round"),
    path(f"{SESSION}more/withdraw/", acts.no_more_round, name="no_more_round"),
    path(f"{SESSION}seat/", acts.take_seat, name="take_seat"),
    path(f"{SESSION}invite/", people.invite, name="invite"),
    path(f"{SESSION}answer/", people.answer_invitation, name="answer_invitation"),
    path("invitations/<str:token>/", people.invitation, name="invitation"),
    path("policies/", policies.policies, name="policies"),
    path("policies/new/", policies.new_policy, name="new_policy"),
    path("policies/<slug:name>/", policies.policy, name="policy"),
    path("policies/<slug:name>/edit/", policies.edit_policy, name="edit_policy"),
    path("jump/", jump.jump, name="jump"),
    path(
        "words/",
        TemplateView.as_view(
            template_name="deliberation/glossary.html", extra_context={"glossary": glossary.TERMS.items()}
        ),
        name="glossary",
    ),
    path("design/", design.design, name="design"),
    path("sign-in/", people.sign_in, name="sign_in"),
    path("sign-in/link/", people.sign_in_link, name="sign_in_link"),
    path("sign-out/", people.sign_out, name="sign_out"),
]
