import json, math, random
from collections import Counter, defaultdict
from uuid import uuid4
from urllib.parse import urlencode
import pytest
from django.urls import reverse
from deliberation.models import Event, Blob
from deliberation.services import people
from tests import builders
from tests.deliberation.acting import signed_in
pytestmark = pytest.mark.django_db

def sgnroot(f): return math.copysign(math.sqrt(abs(f)), f) if f else 0.0

def q_of(weights, rule):
    W = sum(abs(w) for w in weights.values())
    if rule in ("quadratic", "median"): return {p: sgnroot(w / max(100, W)) for p, w in weights.items()}
    if rule == "quadratic_sdk": return {p: sgnroot(w / W) if W >= 1e-9 else 0.0 for p, w in weights.items()}
    if rule == "quadratic_unsigned":
        c = {p: max(w, 0) for p, w in weights.items()}; W = sum(c.values())
        return {p: math.sqrt(100 * w / W if W > 100 else w) / 10 for p, w in c.items()}
    if rule == "linear": return {p: w / max(100, W) for p, w in weights.items()}
    if rule == "mean_score": return {p: w / 100 for p, w in weights.items()}
    if rule == "approval": return {p: float(w > 0) for p, w in weights.items()}
    if rule == "plurality":
        top = max(weights.values(), default=0); n = sum(w == top for w in weights.values())
        return {p: (1 / n if w == top else 0.0) for p, w in weights.items()}
    if rule == "borda":
        o = max(len(weights) - 1, 1)
        return {p: (sum(v < w for v in weights.values()) - sum(v > w for v in weights.values())) / o for p, w in weights.items()}
    raise KeyError(rule)

def hand(session, number, ch):
    """Independent of the protocol package: from events to winner, ns, conviction, coverage."""
    ev = list(Event.objects.filter(chain_id=str(session.pk)).order_by("seq"))
    closing = next((e.seq for e in ev if e.kind == "round.closed" and e.data["round"] == number), 10**9)
    ev = [e for e in ev if e.seq < closing]
    agents = [s for e in ev if e.kind == "panel.chosen" for s in e.data["seats"]]
    ppl = [e.data for e in ev if e.kind == "participant.joined"]
    fam = {a["seat"]: a["family"] for a in agents}
    out = set(ch["out"]) | ({p["seat"] for p in ppl} if ch["people"] else set()) | {s for s, f in fam.items() if f in ch["family"]}
    agents = [a for a in agents if a["seat"] not in out]; ppl = [p for p in ppl if p["seat"] not in out]
    props = {}
    for e in ev:
        if e.kind == "proposal.made" and e.data["round"] == number and e.data["seat"] not in out:
            props[e.data["seat"]] = json.loads(bytes(Blob.objects.get(pk=e.data["text"]["blob"]).content))["final_answer"]
    cast = {}
    for e in ev:
        if e.kind == "ballot.cast" and e.data["round"] == number and e.data["seat"] not in out:
            cast[e.data["seat"]] = {int(k): float(v) for k, v in e.data["weights"].items() if v is not None}
    standing = set()
    for e in ev:
        if e.kind in ("proposal.vetoed", "ballot.vetoed"): standing.add((e.kind.split(".")[0], e.data["round"], e.data["seat"]))
        if e.kind == "veto.withdrawn": standing.discard((e.data["target"], e.data["round"], e.data["seat"]))
    vp = {s for k, r, s in standing if k == "proposal" and r == number} - {s for r, s in ch["lift"] if r == number} | {s for r, s in ch["veto"] if r == number}
    vb = {s for k, r, s in standing if k == "ballot" and r == number} | {s for r, s in ch["ballot"] if r == number} | set(ch["mute"])
    for v in cast:
        cast[v] = {p: w for p, w in cast[v].items() if p in props and p != v and (number, v, p) not in ch["vote"]}
    cast = {v: w for v, w in cast.items() if w}
    seats = {a["seat"] for a in agents} | {p["seat"] for p in ppl}
    needed = 2 if len(seats) >= 4 else 1
    fams = Counter(fam[a["seat"]] for a in agents)
    rules = ch["rules"]
    rho = {}
    for a in agents: rho[a["seat"]] = ch["weights"].get(a["seat"], rules["weight_model"]) * (1 / fams[fam[a["seat"]]] if rules["family_share"] and fam[a["seat"]] else 1)
    for p in ppl: rho[p["seat"]] = ch["weights"].get(p["seat"], rules["weight_human"])
    q = {v: q_of(w, rules["rule"]) for v, w in cast.items() if v not in vb}
    ns, able = {}, []
    for p in props:
        vs = [v for v in q if p in q[v]]
        if rules["rule"] == "median" and vs:
            r = sorted((q[v][p], rho[v]) for v in vs); half = sum(x for _, x in r) / 2
            acc = 0; lo = hi = None
            for val, w in r:
                acc += w
                if lo is None and acc >= half - 1e-12: lo = val
                if hi is None and acc > half + 1e-12: hi = val
            ns[p] = (lo + hi) / 2
        else:
            ns[p] = sum(rho[v] * q[v][p] for v in vs) / sum(rho[v] for v in vs) if vs else None
        if p not in vp and len(vs) >= needed: able.append(p)
    cls = lambda p: props[p].strip() if props[p] is not None else ("own", p)
    def total(p): return sum(ns[o] for o in able if cls(o) == cls(p))
    if not able: return dict(winner=None, ns=ns, conv=0.0, cov=None, near=False)
    key = (lambda p: (total(p), ns[p])) if rules["winner_by"] == "class" else (lambda p: ns[p])
    order = sorted(able, key=key, reverse=True)
    win = order[0]
    near = len(order) > 1 and (abs(ns[order[0]] - ns[order[1]]) < 1e-9 or (rules["winner_by"] == "class" and any(abs(total(o) - total(win)) < 1e-9 and cls(o) != cls(win) for o in order)))
    whole = sum(abs(ns[p]) for p in able)
    conv = 0.0 if not whole else (sum(max(ns[p], 0) for p in able if cls(p) == cls(win)) / whole if ns[win] > 0 else ns[win] / whole)
    awaited = {a["seat"] for a in agents} | (set(cast) | {p["seat"] for p in ppl if p["asked"]}) & seats
    cov = len(set(q) & awaited) / len(awaited)
    return dict(winner=win, ns=ns, conv=conv, cov=cov, near=near)

def sess(chance, i):
    owner, other = builders.person(f"o{i}"), builders.person(f"p{i}")
    winner_by = chance.choice(["proposal", "class"])
    n = chance.choice([3, 4, 5])
    table = builders.opened(owner, take_part=True, human_window_s=60, min_rounds=3, max_rounds=3, effort=1.0, settled_conviction=1.0,
        winner_by=winner_by, rule=chance.choice(["quadratic", "quadratic", "quadratic_sdk", "median"]), family_share=chance.random() < .6,
        weight_human=chance.choice([1.0, 2.0, 1/3]), panel_size=[n, n], max_per_family=9, floor_points=None)
    people.take_seat(table.session, other, asked=False)
    table.staff()
    for r in range(1, 4):
        agents = table.agents
        for k, seat in enumerate(agents):
            if k and k > 1 and chance.random() < .15: table.abstain(seat, "propose")
            else: table.propose(seat, chance.choice(["391", "381", "371"]))
        table.advance()
        if table.state not in ("reviewing", "holding"): break
        authors = table._authors()
        for seat in agents:
            if chance.random() < .15: table.abstain(seat, "review"); continue
            ws = {a: (None if chance.random() < .1 else chance.randint(-60, 90)) for a in authors if a != seat}
            if all(w is None for w in ws.values()): ws[next(iter(ws))] = 5
            table.review(seat, ws)
        for u in (owner, other):
            if chance.random() < .8 and table.state in ("reviewing", "holding", "proposing"):
                for _ in range(chance.choice([1, 2])):
                    table.vote(u, {a: chance.randint(-4, 4) for a in authors[:4]} | {a: 0 for a in authors[4:]})
        if chance.random() < .4: table.strike(owner, chance.choice(authors))
        if chance.random() < .3: table.strike(owner, chance.choice(agents), kind="ballot") if table.session.rounds.get(number=table.session.round).ballots.filter(participant__seat__in=agents, current=True).exists() and False else None
        table.advance()
        if table.state == "holding": table.end_hold()
        if table.state in ("concluded", "failed"): break
    return table, owner

def change(chance, table, n):
    rec = table.session.rules
    seats = list(table.session.participants.order_by("seat").values_list("seat", "kind", "family"))
    said, ch = [], dict(out=[], people=False, family=[], ballot=set(), mute=[], vote=set(), veto=set(), lift=set(), weights={}, rules=dict(rec))
    ev = Event.objects.filter(chain_id=str(table.id))
    casts = [(e.data["round"], e.data["seat"], {int(k): v for k, v in e.data["weights"].items()}) for e in ev.filter(kind="ballot.cast")]
    props = [(e.data["round"], e.data["seat"]) for e in ev.filter(kind="proposal.made")]
    vet = {(e.data["round"], e.data["seat"]) for e in ev.filter(kind="proposal.vetoed")}
    newest = {(r, s): w for r, s, w in casts}
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        kind = chance.choice(["out", "ballot", "mute", "vote", "veto", "weight", "rule", "winner_by", "people", "family", "family_share", "lift", "weight_human"])
        if kind == "out": s = chance.choice(seats)[0]; ch["out"].append(s); said.append(("out", s))
        if kind == "mute": s = chance.choice(seats)[0]; ch["mute"].append(s); said.append(("mute", s))
        if kind == "ballot": r, s = chance.choice(sorted(newest)); ch["ballot"].add((r, s)); said.append(("ballot", f"{r}-{s}"))
        if kind == "vote":
            (r, s), w = chance.choice(sorted(newest.items(), key=lambda x: x[0])); p = [k for k, v in w.items() if v is not None]
            if p: p = chance.choice(p); ch["vote"].add((r, s, p)); said.append(("vote", f"{r}-{s}-{p}"))
        if kind == "veto":
            r, s = chance.choice(props)
            if (r, s) not in vet: ch["veto"].add((r, s)); said.append(("veto", f"{r}-{s}"))
        if kind == "lift" and vet: r, s = chance.choice(sorted(vet)); ch["lift"].add((r, s)); said.append(("lift", f"{r}-{s}"))
        if kind == "weight": s = chance.choice(seats)[0]; ch["weights"][s] = 2.5; said.append((f"weight-{s}", "2.5"))
        if kind == "rule": v = chance.choice(["quadratic", "quadratic_sdk", "quadratic_unsigned", "linear", "median", "mean_score", "borda", "plurality", "approval"]); ch["rules"]["rule"] = v; said.append(("rule", v))
        if kind == "winner_by": v = chance.choice(["class", "proposal"]); ch["rules"]["winner_by"] = v; said.append(("winner_by", v))
        if kind == "family_share": v = chance.choice([True, False]); ch["rules"]["family_share"] = v; said.append(("family_share", "yes" if v else "no"))
        if kind == "weight_human": ch["rules"]["weight_human"] = 3.0; said.append(("weight_human", "3"))
        if kind == "people": ch["people"] = True; said.append(("people", "out"))
        if kind == "family": f = chance.choice([s[2] for s in seats if s[2]]); ch["family"].append(f); said.append(("family", f))
    names = [n for n, _ in said if n in ("rule", "winner_by", "family_share", "weight_human") or n.startswith("weight-")]
    if len(names) != len(set(names)): return change(chance, table, n)
    return said, ch

@pytest.mark.parametrize("i", range(14))
def test_hand(i):
    chance = random.Random(1000 + i)
    table, owner = sess(chance, i)
    client = signed_in(owner)
    seen = Counter()
    for n in range(25):
        said, ch = change(chance, table, n)
        got = client.get(f"{reverse('what_if', args=[table.id])}?{urlencode(said + [('format', 'json')])}")
        assert got.status_code in (200, 409), (said, got.content)
        if got.status_code == 409: seen["409"] += 1; continue
        data = json.loads(got.content)
        for r in data["what_if"]["rounds"]:
            h = hand(table.session, r["number"], ch)
            seen["rounds"] += 1
            ns = {int(k): v for k, v in r["net_support"].items()}
            assert ns.keys() == h["ns"].keys(), (said, r, h)
            for p in ns:
                assert (ns[p] is None) == (h["ns"][p] is None), (said, r, h)
                assert ns[p] is None or abs(ns[p] - h["ns"][p]) < 1e-9, (said, r, h)
            if not h["near"]:
                assert r["winner"] == h["winner"], (said, r, h)
                assert abs(r["conviction"] - h["conv"]) < 1e-9, (said, r, h)
            if h["cov"] is not None: assert abs(r["coverage"] - h["cov"]) < 1e-9, (said, r, h)
        seen[data["what_if"]["end"]] += 1
    print(i, table.state, table.session.failure, dict(seen))
