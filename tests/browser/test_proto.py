import time
from django.contrib.auth.models import User
def test_proto(site, workers, sit_down):
    t=time.time()
    owner = User.objects.create_superuser("owner", password="x")
    p = sit_down(); p.sign_in(owner)
    page = p.open("/")
    page.screenshot(path="/tmp/s1.png")
    page.get_by_label("Question").fill("What is 17*23?")
    page.get_by_role("button", name="Ask").click()
    page.wait_for_url("**/sessions/**")
    for i in range(6):
        page.screenshot(path=f"/tmp/s2-{i}.png")
        page.wait_for_timeout(700)
    page.screenshot(path="/tmp/s3.png", full_page=True)
    print("took", time.time()-t)
