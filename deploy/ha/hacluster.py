"""The processes of a highly available Switchboard on loopback: three etcd, three PostgreSQL 15 under Patroni, HAProxy, two
servers, two workers. Used by deploy/ha/start and deploy/ha/drill. Python 3.11, standard library only."""
import base64, ctypes, json, os, pwd, secrets, shutil, signal, socket, ssl, string, subprocess, sys, tempfile, time
import urllib.error, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BINARIES = "/usr/lib/postgresql/15/bin"
NODES = ["pg1", "pg2", "pg3"]
PACKAGES = "postgresql-15 patroni python3-etcd etcd-server haproxy openssl"


def say(text):
    print(text, file=sys.stderr, flush=True)


def install():
    """What is missing of Debian's packages. They may start services of their own on standard ports; none is used here."""
    done = subprocess.run(["bash", "-c", f'source "{ROOT}/bin/lib.sh"; need $RUN_PACKAGES {PACKAGES}'])
    if done.returncode:
        sys.exit(done.returncode)


def free_ports(count):
    """Ports nobody listens on now. Held together, so that all differ."""
    held = []
    for _ in range(count):
        place = socket.socket()
        place.bind(("127.0.0.1", 0))
        held.append(place)
    ports = [place.getsockname()[1] for place in held]
    for place in held:
        place.close()
    return ports


def children(pid):
    """Process ids whose parent is `pid`."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    if int(file.read().rsplit(")", 1)[1].split()[1]) == pid:
                        found.append(int(name))
            except (OSError, IndexError, ValueError):
                pass
    return found


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def die_with_parent():
    """Runs in the child: when whoever started it is killed, it is asked to stop too."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)


class Cluster:
    """Start processes from the main thread only: they end with the thread that started them."""

    def __init__(self, route="haproxy", roles="two", environment=None, binary=None):
        self.route, self.roles = route, roles
        self.binary = binary or os.environ.get("SWITCHBOARD_BINARY") or self._built()
        self.more = environment or {}
        self.running, self.held, self.restarts, self.began_at = {}, set(), {}, {}
        self.folder = tempfile.mkdtemp(prefix="switchboard-ha-", dir="/tmp")
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        names = ["front", "primary", "replica", "web1", "web2"]
        names += [kind + str(n) for n in (1, 2, 3) for kind in ("pg", "rest", "etcd", "peer")]
        self.ports = dict(zip(names, free_ports(len(names))))
        words = ["superuser", "replication", "rewind", "operator", "owner", "application"]
        self.passwords = {name: secrets.token_hex(16) for name in words}

    @staticmethod
    def _built():
        for kind in ("release", "debug"):
            path = f"{ROOT}/.build/{kind}/switchboard"
            if os.access(path, os.X_OK):
                return path
        sys.exit("switchboard is not built: run `swift build -c release --product switchboard` or set SWITCHBOARD_BINARY")

    # Addresses

    def database(self, user="switchboard", word="application"):
        login = f"postgres://{user}:{self.passwords[word]}@"
        if self.route == "haproxy":
            return f"{login}127.0.0.1:{self.ports['primary']}/switchboard"
        hosts = ",".join(f"127.0.0.1:{self.ports[name]}" for name in NODES)
        return f"{login}{hosts}/switchboard?target_session_attrs=read-write"

    def environment(self):
        # Settings of whoever runs this are not the cluster's.
        mine = {k: v for k, v in os.environ.items() if not k.startswith(("SWITCHBOARD_", "DATABASE_", "PG"))
                and k not in ("HOST", "PORT")}
        mine.update({
            "DATABASE_URL": self.database(), "SWITCHBOARD_DATA": self.folder + "/data",
            "SWITCHBOARD_SHARE": os.environ.get("SWITCHBOARD_SHARE", ROOT + "/Sources"),
            "SWITCHBOARD_TRUSTED_PROXIES": "127.0.0.1",
        })
        mine.update(self.more)
        return mine

    @property
    def has_owner(self):
        """Whether tables are made by another role than the one the product serves as."""
        if not hasattr(self, "_owner"):
            with open(f"{ROOT}/Sources/App/Configuration.swift") as file:
                self._owner = self.roles == "two" and "DATABASE_OWNER_URL" in file.read()
        return self._owner

    # Processes

    def command(self, name):
        ports, folder = self.ports, self.folder
        if name.startswith("etcd"):
            n = name[4:]
            peers = ",".join(f"etcd{i}=http://127.0.0.1:{ports['peer' + i]}" for i in "123")
            here, peer = f"http://127.0.0.1:{ports['etcd' + n]}", f"http://127.0.0.1:{ports['peer' + n]}"
            # Patient elections: this machine is shared, and one that is late is not dead.
            return ["etcd", "--name", name, "--data-dir", f"{folder}/{name}", "--enable-v2",
                    "--listen-client-urls", here, "--advertise-client-urls", here, "--listen-peer-urls", peer,
                    "--initial-advertise-peer-urls", peer, "--initial-cluster", peers,
                    "--initial-cluster-token", os.path.basename(folder), "--heartbeat-interval", "200",
                    "--election-timeout", "2000", "--logger", "zap", "--log-level", "warn"]
        if name in NODES:
            return ["patroni", f"{folder}/{name}/patroni.yaml"]
        if name == "haproxy":
            return ["haproxy", "-db", "-f", folder + "/haproxy.cfg"]
        if name.startswith("web"):
            return [self.binary, "serve", "--no-workers", "--port", str(ports[name])]
        return [self.binary, "worker"]

    def start(self, name):
        as_user = {}
        if name in NODES or name.startswith("etcd"):
            environment = {k: v for k, v in os.environ.items() if not k.startswith(("ETCD", "PATRONI", "PG"))}
            environment["HOME"] = self.folder
            if os.geteuid() == 0:  # PostgreSQL refuses root.
                entry = pwd.getpwnam(self.user)
                as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        else:
            environment = self.environment()
        with open(f"{self.folder}/{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                self.command(name), cwd="/", env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent, **as_user)
        self.began_at[name] = time.monotonic()

    def watch(self, seconds):
        """Waits, and starts again what ends meanwhile, as systemd would."""
        end = time.monotonic() + seconds
        while True:
            for name, process in list(self.running.items()):
                if process.poll() is not None and name not in self.held:
                    if time.monotonic() - self.began_at[name] < 1:
                        continue
                    self.restarts[name] = self.restarts.get(name, 0) + 1
                    self.start(name)
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(0.2, left))

    def until(self, what, condition, seconds=90):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            self.watch(0.3)
        raise RuntimeError(f"waited {seconds} s for {what}; logs are in {self.folder}")

    # What Patroni says

    def ask(self, node, path, form=None, timeout=3):
        """Status and text of an answer of a node's REST interface; (0, "") when there is none."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['rest' + node[2:]]}{path}")
        if form is not None:
            word = base64.b64encode(f"operator:{self.passwords['operator']}".encode()).decode()
            request.data = json.dumps(form).encode()
            request.add_header("Authorization", "Basic " + word)
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace")
        except (OSError, ValueError):
            return 0, ""

    def leader(self, besides=()):
        for node in NODES:
            if node not in besides and self.ask(node, "/primary", timeout=1)[0] == 200:
                return node
        return None

    def synchronous(self, besides=()):
        for node in NODES:
            if node not in besides and self.ask(node, "/synchronous", timeout=1)[0] == 200:
                return node
        return None

    def whole(self):
        """Whether one leads, one confirms and all three follow."""
        states = [self.ask(node, "/health", timeout=1)[0] for node in NODES]
        return states == [200] * 3 and self.leader() and self.synchronous()

    def sql(self, node, text, database="switchboard", timeout=60):
        """Rows of a query by the superuser, each a line, columns parted by |."""
        done = subprocess.run(
            [BINARIES + "/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.ports[node]), "-U", "postgres",
             "-d", database, "-f", "-"], input=text, text=True, capture_output=True, timeout=timeout,
            env={**os.environ, "PGPASSWORD": self.passwords["superuser"], "PGCONNECT_TIMEOUT": "5"})
        if done.returncode:
            raise RuntimeError(f"psql on {node}: {done.stderr.strip()}")
        return done.stdout.splitlines()

    # Life

    def begin(self, customers=0):
        os.chmod(self.folder, 0o711)
        os.mkdir(self.folder + "/data", 0o700)
        entry = pwd.getpwnam(self.user)
        values = {**self.ports, "folder": self.folder,
                  "etcd": ",".join(f"127.0.0.1:{self.ports['etcd' + n]}" for n in "123"),
                  **{word + "_password": text for word, text in self.passwords.items()}}
        for name in ["etcd1", "etcd2", "etcd3"] + NODES:
            os.mkdir(f"{self.folder}/{name}", 0o700)
            os.chown(f"{self.folder}/{name}", entry.pw_uid, entry.pw_gid)
        for node in NODES:
            values.update(name=node, port=self.ports[node], rest=self.ports["rest" + node[2:]])
            self._fill("patroni.yaml", f"{self.folder}/{node}/patroni.yaml", values, entry)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost", "-keyout",
             self.folder + "/key.pem", "-out", self.folder + "/cert.pem"], check=True, stderr=subprocess.DEVNULL)
        with open(self.folder + "/both.pem", "w") as both:
            os.chmod(both.name, 0o600)
            for part in ("cert.pem", "key.pem"):
                with open(f"{self.folder}/{part}") as file:
                    both.write(file.read())
        self._fill("haproxy.cfg", self.folder + "/haproxy.cfg", values)
        say("Starting etcd and PostgreSQL ...")
        for name in ["etcd1", "etcd2", "etcd3", "pg1"]:
            self.start(name)
        first = self.until("the first leader", self.leader)
        for node in NODES[1:]:
            self.start(node)
        self.until("three members, one of them confirming", self.whole, 120)
        self._roles(first)
        self.start("haproxy")
        time.sleep(2)
        # Tables are made before anybody serves, by the role that owns them.
        # The processes that serve do not know the owner.
        owner = {"DATABASE_OWNER_URL": self.database("switchboard_owner", "owner")} if self.has_owner else {}
        self.run("migrate", more=owner)
        if customers:
            say(f"Making {customers} customers ...")
            self.run("seed", "--customers", str(customers))
        for name in ["web1", "web2", "worker1", "worker2"]:
            self.start(name)
        self.until("the product", self.ready)

    def _fill(self, template, path, values, owner=None):
        with open(f"{HERE}/{template}") as file:
            text = string.Template(file.read()).substitute(values)
        with open(path, "w") as file:
            os.chmod(path, 0o600)
            file.write(text)
        if owner:
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def _roles(self, leader):
        """The role the product serves as is no superuser. With a role for the owner it owns nothing either."""
        word = self.passwords
        owner = "switchboard_owner" if self.has_owner else "switchboard"
        lines = [f"CREATE ROLE switchboard LOGIN PASSWORD '{word['application']}' NOSUPERUSER NOCREATEDB NOCREATEROLE;"]
        if self.has_owner:
            lines.append(
                f"CREATE ROLE switchboard_owner LOGIN PASSWORD '{word['owner']}' NOSUPERUSER NOCREATEDB NOCREATEROLE;")
        lines.append(f"CREATE DATABASE switchboard OWNER {owner} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';")
        if self.has_owner:
            lines.append("REVOKE ALL ON DATABASE switchboard FROM PUBLIC; GRANT CONNECT ON DATABASE switchboard TO switchboard;")
        self.sql(leader, "\n".join(lines), database="postgres")

    def run(self, *arguments, text=None, more=None):
        """A command of the product to its end; its standard output."""
        environment = {"SWITCHBOARD_LOG": "warning", **self.environment(), **(more or {})}
        done = subprocess.run(
            [self.binary, *arguments], env=environment, input=text, text=True, stdout=subprocess.PIPE, timeout=600)
        if done.returncode:
            raise RuntimeError(f"switchboard {arguments[0]} ended with {done.returncode}")
        return done.stdout

    def ready(self, path="/readyz"):
        try:
            context = ssl._create_unverified_context()
            with urllib.request.urlopen(f"https://localhost:{self.ports['front']}{path}", timeout=15, context=context):
                return True
        except (OSError, ValueError):
            return False

    def postmaster(self, node):
        try:
            with open(f"{self.folder}/{node}/data/postmaster.pid") as file:
                pid = int(file.readline())
            with open(f"/proc/{pid}/cmdline") as file:
                # The file outlives its process; the number may be another's by now.
                return pid if f"{self.folder}/{node}/data" in file.read() else None
        except (OSError, ValueError):
            return None

    def end(self, keep=False):
        """Ends every process by its id, those that were paused too, and removes the folder."""
        self.held = set(self.running)
        for node in NODES:
            self.resume(node)
        product = [n for n in self.running if n not in NODES and not n.startswith("etcd")]
        for names, seconds in ((product, 30), (NODES, 30), (["etcd1", "etcd2", "etcd3"], 10)):
            alive = [self.running[n] for n in names if n in self.running and self.running[n].poll() is None]
            for process in alive:
                send(process.pid, signal.SIGCONT)
                process.terminate()
            limit = time.monotonic() + seconds
            for process in alive:
                try:
                    process.wait(max(0.1, limit - time.monotonic()))
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if names is NODES:
                for node in NODES:
                    pid = self.postmaster(node)
                    if pid:
                        send(pid, signal.SIGQUIT)
                        for _ in range(50):
                            if self.postmaster(node) is None:
                                break
                            time.sleep(0.1)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    # Faults

    def tree(self, node):
        """Patroni, the postmaster and its children, parents first: none is born while the parent is stopped."""
        pids = [self.running[node].pid]
        postmaster = self.postmaster(node)
        return pids + ([postmaster] if postmaster else [])

    def signal_node(self, node, number):
        for pid in self.tree(node):
            send(pid, number)
            for child in children(pid):
                send(child, number)

    def kill_node(self, node):
        """As a machine that loses its power: it stays away until `back`."""
        self.held.add(node)
        self.signal_node(node, signal.SIGKILL)
        self.running[node].wait()

    def back(self, name):
        self.held.discard(name)
        if self.running[name].poll() is not None:
            self.start(name)

    def kill_postmaster(self, node):
        send(self.postmaster(node), signal.SIGKILL)

    def pause(self, node):
        self.signal_node(node, signal.SIGSTOP)

    def resume(self, node):
        if node in self.running:
            self.signal_node(node, signal.SIGCONT)

    def stop_etcd(self, name):
        self.held.add(name)
        self.running[name].kill()
        self.running[name].wait()

    def switchover(self, leader, candidate):
        return self.ask(leader, "/switchover", {"leader": leader, "candidate": candidate}, timeout=60)
