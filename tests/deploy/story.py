#!/usr/bin/env python3
"""Deploys the built stack to the emulator and plays the story of an account against it.

    tests/deploy/story.py BUILD ARCHITECTURE     BUILD is .aws-sam/build

Everything runs in the emulator: requests go through its API Gateway and JWT authorizer, functions run in its Lambda, bounces
go through the deployed topic, billing through the deployed rule, and changes through the stream to the deployed bus. Only the
issuer of the ID tokens runs here. A step that doesn't find what it expects ends the run.
"""

import concurrent.futures
import json
import pathlib
import re
import sys
import tempfile
import time
import urllib.error
import urllib.request

import emulator
from emulator import expect, until

STACK = "rollcall"
BUCKET = "templates"
LOGS = f"/aws/cloudformation/{STACK}/FunctionLogs"
OWNER = "olivia@example.com"
KIM = "kim@example.com"
NORA = "nora@example.com"
NILS = "nils@example.com"
GUEST = "guest@example.com"
SUE = "sue@example.com"
PARAMETERS = {
    "Stage": "test",
    "ProductName": "The Product",
    "AppUrl": "https://app.example.com",
    "SupportEmail": "support@product.example",
    "MailFrom": "invites@product.example",
    "MailIdentity": "product.example",
    "Audience": emulator.CLIENT,
    "ClientId": emulator.CLIENT,
    "ResendCooldownSeconds": "2",
    "SendsPerHour": "12",
}


class Stack:
    """The deployed stack, as its callers see it."""

    def __init__(self, aws, issuer):
        self.aws, self.issuer = aws, issuer
        description = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}
        self.api = f"{aws.url}/_aws/execute-api/{self.outputs['ApiUrl'].split('/')[2].split('.')[0]}"
        self.table = aws.table(self.outputs["TableName"])

    def call(self, email, method, path, body=None, subject=None, groups=None):
        """The status of an answer, with the code of a problem or the body."""
        headers = {"content-type": "application/json"}
        if email:
            headers["authorization"] = f"Bearer {self.issuer.token(email, subject, groups)}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            problem = json.load(refused)
            return refused.code, problem.get("code", problem.get("message"))

    def login(self, email, subject=None, **body):
        return self.call(email, "POST", "/login", body, subject)

    def invite(self, email, account="acme", by=OWNER):
        person = {"firstName": "Kim", "lastName": "Lee", "email": email}
        return self.call(by, "POST", f"/accounts/{account}/members", person)

    def resend(self, member):
        return self.call(OWNER, "POST", f"/accounts/acme/members/{member['id']}/resend", {})

    def members(self, query="", account="acme"):
        return self.call(OWNER, "GET", f"/accounts/{account}/members{query}")

    def remove(self, member):
        return self.call(OWNER, "DELETE", f"/accounts/acme/members/{member['id']}")

    def provision(self, account, plan, **more):
        """The answer to a direct call from billing."""
        function, payload = self.outputs["ProvisionAccountFunction"], json.dumps(billing(account, plan, **more))
        return json.load(self.aws.client("lambda").invoke(FunctionName=function, Payload=payload)["Payload"])

    def mail_to(self, email, number):
        """The n-th mail to an address."""

        def look():
            mails = [mail for mail in self.aws.mails() if mail["To"] == [email]]
            return mails[number - 1] if len(mails) >= number else None

        return until(look, f"mail {number} to {email}")

    def secret_in_mail_to(self, email, number):
        return re.search(r"#token=(\S+)", self.mail_to(email, number)["BodyText"])[1]


def billing(account, plan, **more):
    owner = {"firstName": "Olivia", "lastName": "Owner", "email": OWNER}
    return {"accountId": account, "company": "Acme", "plan": plan, "owner": owner} | more


class Changes:
    """A queue behind the deployed bus, as the product would have one."""

    def __init__(self, stack):
        self.sqs, events = stack.aws.client("sqs"), stack.aws.client("events")
        self.queue = self.sqs.create_queue(QueueName="changes")["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]
        bus = stack.outputs["ChangesBus"].rsplit("/", 1)[-1]
        events.put_rule(Name="all", EventBusName=bus, EventPattern=json.dumps({"source": ["rollcall"]}))
        events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])
        self.seen = []

    def tell(self, kind):
        def look():
            received = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
            for message in received.get("Messages", []):
                self.seen.append(json.loads(message["Body"])["detail-type"])
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            return kind in self.seen

        expect(f"the bus tells of {kind}", until(look, f"the event {kind}", 150), True)


def at_once(calls):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return [done.result() for done in [pool.submit(*call) for call in calls]]


def accounts_are_provisioned(stack):
    expect("provisioned by a call", stack.provision("acme", "pro")["outcome"], "created")
    detail = json.dumps(billing("other", "basic"))
    entry = {"Source": "billing", "DetailType": "account.provisioned", "Detail": detail}
    stack.aws.client("events").put_events(Entries=[entry])
    until(lambda: stack.members("", "other")[0] == 200, "the account that an event provisioned")
    expect("provisioned by an event", stack.members("", "other")[1]["account"]["plan"], "basic")


def only_the_owner_gets_in(stack):
    expect("no token", stack.call(None, "GET", "/accounts/acme/members"), (401, "Unauthorized"))
    expect("a stranger", stack.login("stranger@example.com"), (403, "no_access"))
    expect("several accounts", stack.login(OWNER), (409, "choose_account"))
    expect("the owner's first login", stack.login(OWNER, accountId="acme")[0], 200)
    expect("another subject", stack.login(OWNER, "impostor", accountId="acme"), (403, "identity_mismatch"))


def kim_is_invited_and_accepts(stack):
    status, kim = stack.invite(KIM)
    expect("invited", (status, kim["status"]), (201, "invited"))
    expect("invited twice", stack.invite(KIM), (409, "already_invited"))
    expect("no login without the link", stack.login(KIM, accountId="acme"), (403, "invite_link_required"))
    expect("resent too soon", stack.resend(kim), (429, "resend_too_soon"))
    expect("the mail's sender", stack.mail_to(KIM, 1)["Source"], '"The Product" <invites@product.example>')
    first = stack.secret_in_mail_to(KIM, 1)
    until(lambda: stack.resend(kim)[0] == 200, "the end of the cooldown")
    newest = stack.secret_in_mail_to(KIM, 2)
    expect("the older link", stack.login(KIM, inviteToken=first), (410, "invite_superseded"))
    expect("the wrong person", stack.login("eve@example.com", inviteToken=newest), (403, "wrong_account"))
    expect("accepted", stack.login(KIM, inviteToken=newest)[0], 200)
    expect("a member invites", stack.invite("ann@example.com", by=KIM), (403, "owner_only"))
    return kim


def one_first_login_wins(stack, people):
    for email in people:
        stack.invite(email)
        secret = stack.secret_in_mail_to(email, 1)
        logins = at_once((lambda n=n: stack.login(email, f"{email} {n}", inviteToken=secret),) for n in range(4))
        expect("one of four first logins wins", sorted(status for status, _ in logins), [200, 403, 403, 403])


def the_list_has_pages(stack, people):
    emails, cursor = [], ""
    while cursor is not None:
        page = stack.members(f"?limit=2{cursor}")[1]
        emails += [member["email"] for member in page["members"]]
        cursor = f"&cursor={page['cursor']}" if "cursor" in page else None
    # All have the same name, so only their ids order the members.
    expect("the list over pages", [emails[0], *sorted(emails[1:])], [OWNER, KIM, *people])


def a_bounce_is_seen_and_lifted(stack):
    _, nora = stack.invite(NORA)
    publish_bounce(stack, nora)

    def delivery():
        [member] = stack.members(f"?q={NORA}")[1]["members"]
        return member["delivery"] if member["delivery"]["status"] == "bounced" else None

    expect("the list says what to do", "spelling" in until(delivery, "the bounce in the list")["advice"], True)
    look_up = ("GET", f"/support/feedback?email={NORA}")
    expect("an owner is not support", stack.call(OWNER, *look_up), (403, "support_only"))
    similar = stack.call(SUE, *look_up, groups=["no support"])
    expect("nor is a group with the word in its name", similar, (403, "support_only"))
    status, about = stack.call(SUE, *look_up, groups=["support"])
    expect("support sees the bounce", (status, about["feedback"][0]["kind"]), (200, "bounce"))
    expect("no resend to an address that bounced", stack.resend(nora)[1], "address_undeliverable")
    lifted = stack.call(SUE, "DELETE", f"/support/suppressions/{NORA}", groups=["support"])
    expect("lifted", lifted[0], 200)
    expect("the invite is sent again", until(lambda: stack.resend(nora)[0] == 200, "a resend"), True)
    return nora


def publish_bounce(stack, member):
    """Publishes the event that SES publishes if an address doesn't exist."""
    tags = {"stage": ["test"], "account": ["acme"], "member": [member["id"]], "send": ["1"]}
    mail = {"timestamp": "2026-11-24T12:00:00.000Z", "messageId": "0100", "destination": [member["email"]], "tags": tags}
    recipient = {"emailAddress": member["email"], "action": "failed", "status": "5.1.1"}
    recipient["diagnosticCode"] = "smtp; 550 5.1.1 user unknown"
    bounce = {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [recipient]}
    bounce |= {"timestamp": "2026-11-24T12:00:01.000Z", "feedbackId": "0100-feedback"}
    sns = stack.aws.client("sns")
    [topic] = [topic["TopicArn"] for topic in sns.list_topics()["Topics"] if "MailFeedback" in topic["TopicArn"]]
    sns.publish(TopicArn=topic, Message=json.dumps({"eventType": "Bounce", "bounce": bounce, "mail": mail}))


def an_invite_runs_out(stack, member):
    """The emulator deletes expired items without a record in the stream, so this test can't see `invite.expired`."""
    secret = stack.secret_in_mail_to(member["email"], 2)
    stack.table.update_item(
        Key={"pk": "ACCOUNT#acme", "sk": f"MEMBER#{member['id']}"},
        UpdateExpression="SET invite.expiresAt = :past",
        ExpressionAttributeValues={":past": "2026-11-01T00:00:00Z"},
    )
    expect("an expired invite", stack.login(member["email"], inviteToken=secret), (410, "invite_expired"))


def kim_is_removed(stack, kim):
    expect("removed", stack.remove(kim)[0], 200)
    expect("revoked", stack.login(KIM, accountId="acme"), (403, "access_revoked"))
    expect("revoked by the old link, too", stack.login(KIM), (403, "access_revoked"))


def the_plan_changes(stack, member):
    def members_login():
        """One of these subjects won the first login."""
        logins = [stack.login(member, f"{member} {n}", accountId="acme") for n in range(4)]
        return {"in" if status == 200 else code for status, code in logins} - {"identity_mismatch"}

    expect("another plan", stack.provision("acme", "basic")["outcome"], "updated")
    expect("members are told to upgrade", members_login(), {"upgrade_required"})
    stale = stack.provision("acme", "enterprise", at="2020-01-01T00:00:00Z")
    expect("an older change", stale.get("reason"), "not_newer")
    expect("the plan comes back", stack.provision("acme", "pro")["outcome"], "updated")
    expect("members are back", members_login(), {"in"})


def the_account_is_handed_over_and_back(stack):
    def owner_is(email):
        return {"owner": {"firstName": "Nils", "lastName": "Nyman", "email": email}, "handover": True}

    for revision, (email, former) in enumerate([(NILS, OWNER), (OWNER, NILS)], 1):
        message = owner_is(email) | {"revision": revision}
        expect("handed over", stack.provision("acme", "pro", **message)["outcome"], "updated")
        expect("the same again", stack.provision("acme", "pro", **message)["outcome"], "unchanged")
        expect("the new owner is in", stack.login(email, accountId="acme")[0], 200)
        closed = stack.call(former, "DELETE", "/accounts/acme")
        expect("the former owner is a member", closed, (403, "owner_only"))


def the_account_is_closed_and_reopened(stack):
    expect("closed", stack.call(OWNER, "DELETE", "/accounts/acme")[0], 200)
    expect("nobody gets in", stack.login(OWNER, accountId="acme"), (403, "account_closed"))
    expect("reopened", stack.provision("acme", "pro", reopen=True)["status"], "active")
    expect("the owner is back", stack.login(OWNER, accountId="acme")[0], 200)


def the_limit_lets_its_number_through(stack):
    expect("a busy account", stack.provision("busy", "pro")["outcome"], "created")
    expect("its owner", stack.login(OWNER, accountId="busy")[0], 200)
    answers = at_once((stack.invite, f"busy{n}@example.com", "busy") for n in range(20))
    limit = int(PARAMETERS["SendsPerHour"])
    expect("invites up to the limit", sum(status == 201 for status, _ in answers), limit)
    expect("and no more", {code for status, code in answers if status != 201}, {"send_limit_reached"})


def play(stack):
    changes = Changes(stack)
    racers = [f"racer{n}@example.com" for n in range(3)]
    accounts_are_provisioned(stack)
    only_the_owner_gets_in(stack)
    kim = kim_is_invited_and_accepts(stack)
    one_first_login_wins(stack, racers)
    the_list_has_pages(stack, racers)
    nora = a_bounce_is_seen_and_lifted(stack)
    an_invite_runs_out(stack, nora)
    kim_is_removed(stack, kim)
    the_plan_changes(stack, racers[0])
    the_account_is_handed_over_and_back(stack)
    the_account_is_closed_and_reopened(stack)
    the_limit_lets_its_number_through(stack)
    of_members = ("member.invited", "member.activated", "member.removed", "invite.delivery_changed")
    for kind in (*of_members, "account.plan_changed", "account.closed", "account.reopened", "owner.changed"):
        changes.tell(kind)
    expect("no log has an address", [line for line in stack.aws.log(LOGS) if "@" in line], [])


def the_table_is_restored(stack, deploy):
    """Follows docs/restoring.md. The emulator restores the table as it is, so the damage comes after the restore."""
    aws, lost, account = stack.aws, stack.table, {"pk": "ACCOUNT#busy", "sk": "ACCOUNT"}

    def follow(heading, **values):
        words = {"TableName": lost.name, "account_id": "busy", "bucket": BUCKET, "region": emulator.REGION}
        aws.follow("restoring.md", heading, words | values)

    _, guest = stack.invite(GUEST)
    expect("a guest is in", stack.login(GUEST, inviteToken=stack.secret_in_mail_to(GUEST, 1))[0], 200)
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": emulator.REGION})
    follow("2. Restore beside the table", time="2026-11-26T00:00:00Z")
    expect("removed after the restore point", stack.remove(guest)[0], 200)
    lost.delete_item(Key=account)
    expect("an account is lost", stack.members("", "busy")[0], 403)
    [line] = until(lambda: removals(stack, guest), "the removal in the log")
    follow("1. Stop writes")
    expect("no function answers", stack.login(OWNER, accountId="acme")[0] in (429, 503), True)
    follow("4. Do them again", **line)
    follow("5. Bring single accounts home")
    expect("the account is back", lost.get_item(Key=account)["Item"]["accountId"], "busy")

    follow("6. Or put the restored table in the place of the old one")
    deploy()
    follow("7. Let writes in")
    stack = Stack(aws, stack.issuer)
    expect("the stack has the restored table", stack.table.name, "rollcall-restored")
    expect("a removed guest stays out", stack.login(GUEST, accountId="acme"), (403, "access_revoked"))
    expect("the owner still gets in", stack.login(OWNER, accountId="acme")[0], 200)
    lost.meta.client.update_table(TableName=lost.name, DeletionProtectionEnabled=False)
    lost.delete()
    return stack


def removals(stack, member):
    """The results of the runbook's query."""
    lines = [json.loads(line) for line in stack.aws.log(LOGS) if "access was taken away" in line]
    return [line for line in lines if line["member_id"] == member["id"]]


def tear_down(stack):
    """Deletes the stack as docs/deploying.md says."""
    stack.aws.follow("deploying.md", "Deleting the stack", {"TableName": stack.table.name})
    left = stack.aws.client("lambda").list_functions()["Functions"]
    tables = stack.aws.client("dynamodb").list_tables()["TableNames"]
    expect("nothing is left of the stack", (left, tables), ([], []))


def main(build, architecture):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        issuer = emulator.Issuer(folder)
        aws = emulator.Aws(folder, issuer.certificate)
        aws.client("sesv2").create_email_identity(EmailIdentity=PARAMETERS["MailIdentity"])
        parameters = PARAMETERS | {"Issuer": issuer.url, "Architecture": architecture}

        def deploy():
            return aws.deploy(STACK, build, parameters)

        try:
            begun = time.monotonic()
            resources, left_out = deploy()
            print(
                f"{resources} resources were deployed in {time.monotonic() - begun:.0f} s, "
                f"without {left_out} alarms on metric math, which the emulator does not know."
            )
            stack = Stack(aws, issuer)
            play(stack)
            stack = the_table_is_restored(stack, deploy)
            tear_down(stack)
            print(f"{emulator.passed} passed, 0 failed, {time.monotonic() - begun:.0f} s")
        except BaseException:
            print((folder / "ministack.log").read_text(errors="replace")[-3000:], file=sys.stderr)
            raise
        finally:
            aws.stop()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2])
