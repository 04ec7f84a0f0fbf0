// One probe: from the name to the answer, stage by stage, as the plan says.
namespace Cmcomply
{
    using System;
    using System.Collections.Generic;
    using System.IO;
    using System.Net;
    using System.Net.Sockets;
    using System.Threading;

    internal sealed class Probe
    {
        readonly Fields plan;
        readonly Bounds bounds;
        readonly RunTime run;
        readonly string scheme, host, path, proxyHost;
        readonly int port, proxyPort;
        Stage name, tcp, connect, tls, trust, http;
        string started;
        IPEndPoint peer;
        List<object> earlier = new List<object>();
        List<object> asked = new List<object>();
        volatile bool begun, ended;
        bool allPublic;
        // The session of the last try, and the answer that counts: that to GET, if one was asked.
        Session shaken;
        Answer answered;

        public Probe(Fields plan, Bounds bounds, RunTime run)
        {
            this.plan = plan;
            this.bounds = bounds;
            this.run = run;
            Fields target = plan.Object("target");
            scheme = target.Text("scheme");
            host = target.Text("host");
            port = target.Number("port");
            path = target.Text("path");
            Fields via = plan.Object("via");
            Fields proxy = via == null ? null : via.Object("proxy");
            if (proxy != null)
            {
                proxyHost = proxy.Text("host").Trim('[', ']');
                proxyPort = proxy.Number("port");
            }
            Clear();
        }

        public bool Secure { get { return scheme == "https"; } }
        public bool ByProxy { get { return proxyHost != null && !Secure; } }
        bool Tunnel { get { return proxyHost != null && Secure; } }
        public string Host { get { return host; } }
        public Session Shaken { get { return shaken; } }
        public Answer Answered { get { return answered; } }
        // Whether all of it was gone through: not if the time of the run was over before.
        public bool Whole { get { return ended && Array.TrueForAll(Stages(), delegate(Stage stage) { return stage.Outcome != "cancelled"; }); } }
        public string Way { get { return Url + " " + proxyHost + ":" + proxyPort; } }
        string Url { get { return scheme + "://" + host + ":" + port + path; } }

        // Tries until it works, or another try cannot change the answer.
        public void Run()
        {
            begun = true;
            Once();
            while (earlier.Count < bounds.Retries && !run.Over && Again())
            {
                Thread.Sleep(run.Within(Math.Min(500, bounds.StageMs / 4)));
                earlier.Add(FirstFailure());
                Clear();
                Once();
            }
            if (http.Outcome == "ok") Look();
            ended = true;
        }

        public Fields ToFields()
        {
            // What is still under way is left alone: its thread may write.
            if (begun && !ended)
            {
                Clear();
                earlier = new List<object>();
                asked = new List<object>();
                name.Outcome = "cancelled";
            }
            Fields all = new Fields().With("probe", plan.Text("id")).With("started", started ?? Clock.Now());
            all.With("name", name.ToFields()).With("tcp", tcp.ToFields()).With("connect", connect.ToFields());
            all.With("tls", tls.ToFields()).With("trust", trust.ToFields()).With("http", http.ToFields());
            all.With("target", plan["target"]).With("via", plan["via"]);
            if (plan.Object("asks") != null) all["asks"] = plan["asks"];
            if (plan.Text("hop_of") != null) all["hop_of"] = plan.Text("hop_of");
            if (earlier.Count > 0) all["earlier"] = earlier;
            if (asked.Count > 0) all["asked"] = asked;
            return all;
        }

        void Clear()
        {
            name = new Stage(); tcp = new Stage(); connect = new Stage(); tls = new Stage(); trust = new Stage(); http = new Stage();
            if (!Tunnel) connect.Outcome = "not_needed";
            if (!Secure) tls.Outcome = trust.Outcome = "not_needed";
        }

        void Once()
        {
            started = started ?? Clock.Now();
            List<IPAddress> addresses = Resolve();
            if (addresses == null) return;
            if (plan.Object("asks") != null && plan.Object("asks").Flag("public_only") && addresses.Exists(Names.IsPrivate))
            {
                http.Fail(new Failure("http-redirect", "redirected to " + Url + ": not followed, a public address leads to a private one"));
                return;
            }
            allPublic = !addresses.Exists(Names.IsPrivate);
            int dialled = proxyHost == null ? port : proxyPort;
            Attempt first = null;
            Attempts attempts = new Attempts(addresses, dialled, bounds.Addresses, bounds.StageMs, run);
            using (attempts)
            {
                bool open = tcp.Try(delegate { first = attempts.First(); });
                if (first != null) tcp.TookUs = first.TookUs;
                if (open && first == null) CutAtOnce(attempts.Reset());
                else if (open) TalkOver(first);
                // The other addresses are part of the answer.
                attempts.Finish();
                tcp.Evidence = attempts.Evidence();
            }
        }

        List<IPAddress> Resolve()
        {
            IPAddress given;
            if (proxyHost != null && IPAddress.TryParse(proxyHost, out given))
            {
                List<object> one = new List<object>();
                one.Add(given.ToString());
                name.Outcome = "not_needed";
                name.Evidence = new Fields().With("asked", given.ToString()).With("resolver", "none").With("addresses", one);
                return new List<IPAddress>(new IPAddress[] { given });
            }
            List<IPAddress> addresses = null;
            name.Evidence = new Fields();
            bool found = name.Try(delegate { addresses = Names.Resolve(proxyHost ?? host, bounds.StageMs, run, name.Evidence); });
            return found ? addresses : null;
        }

        // The connection opened and was reset before anything could be sent: the failure of the next layer.
        void CutAtOnce(string how)
        {
            how += " as soon as it was open";
            if (Tunnel) connect.Fail(new Failure("proxy-bad-reply", how));
            else if (Secure) tls.Fail(new Failure("tls-reset", how));
            else http.Fail(new Failure("http-reset", how));
        }

        void TalkOver(Attempt open)
        {
            peer = open.Where;
            if (Tunnel && !connect.Try(delegate { OpenTunnel(open.Socket, connect); })) return;
            Stream stream = null;
            if (Secure)
            {
                Session session = new Session();
                shaken = session;
                bool opened = tls.Try(delegate { Session.Open(open.Socket, host, peer.ToString(), bounds.StageMs, run, session); });
                if (opened || session.Served.Count > 0) tls.Evidence = session.Evidence();
                if (!opened || !trust.Try(delegate { Judge(session, trust); })) return;
                stream = session.Stream;
            }
            http.Try(delegate { Visit(open.Socket, stream ?? new NetworkStream(open.Socket, false)); });
        }

        void OpenTunnel(Socket socket, Stage stage)
        {
            string operation = "CONNECT " + host + ":" + port + " through " + peer;
            string request = "CONNECT " + host + ":" + port + " HTTP/1.1\r\nHost: " + host + ":" + port + "\r\nUser-Agent: " + bounds.Agent + "\r\nProxy-Connection: keep-alive\r\n\r\n";
            Answer answer;
            Talk talk = new Talk(new NetworkStream(socket, false));
            using (Deadline deadline = new Deadline(socket, bounds.StageMs, run))
            {
                try
                {
                    talk.Send(request);
                    answer = talk.Head(16 * 1024, 64);
                }
                catch (Exception error)
                {
                    if (deadline.Passed) throw Failure.Silence("proxy-timeout", operation, bounds.StageMs);
                    throw Talk.Explain(operation, error, "proxy-bad-reply", "proxy-bad-reply");
                }
            }
            if (stage != null) stage.Evidence = answer.ToFields();
            if (answer.Status == 407) throw new Failure("proxy-auth-required", operation + ": 407, the proxy wants credentials");
            if (answer.Status < 200 || answer.Status > 299) throw new Failure("proxy-refused", operation + ": " + answer.Status + " " + answer.Reason);
            if (talk.Extra > 0) throw new Failure("proxy-bad-reply", operation + ": " + talk.Extra + " bytes came through the tunnel before anything was sent");
        }

        // What this machine says of the chain: the code is a first one, and told closer elsewhere.
        void Judge(Session session, Stage stage)
        {
            Fields judgement = session.Judgement();
            if (stage != null) stage.Evidence = judgement;
            if (session.Errors == System.Net.Security.SslPolicyErrors.None) return;
            throw new Failure("certificate-invalid", "certificate of " + host + ": " + session.Errors + " " + string.Join(", ", session.Status.ToArray()));
        }

        // HEAD, and GET where HEAD is not understood, the answer looks like a filter's page or may be anybody's, or a file is
        // to be had.
        void Visit(Socket socket, Stream stream)
        {
            Answer head = Exchange(socket, stream, "HEAD", "", 0);
            answered = head;
            http.Evidence = new Fields().With("head", head.ToFields());
            bool page = head.Status >= 200 && head.Status <= 299 && head.Status != 204;
            page |= head.Status == 403 || head.Status == 500 || head.Status == 503 || head.Status == 504;
            // The product's own check counts these as not reached.
            if (Array.IndexOf(new int[] { 407, 408, 426, 451, 502, 511, 598, 599 }, head.Status) >= 0) throw new Failure("http-status", "HEAD " + Url + ": status " + head.Status);
            if (head.Status < 200) return;
            bool leads = Array.IndexOf(Redirects, head.Status) >= 0 && head.Header("location") != null;
            bool file = head.Status <= 299 && path != "/";
            bool must = head.Status == 405 || head.Status == 501 || (page && head.IsHtml);
            if (!must && (leads || (Secure && !file))) return;
            string part = must || head.IsText ? "" : "Range: bytes=0-0\r\n";
            try
            {
                answered = Ask("GET", part, 64 * 1024, true);
                http.Evidence["get"] = answered.ToFields();
            }
            catch (Failure failure)
            {
                // What HEAD said needed the GET, so without its answer nothing is known.
                http.Evidence["get_failure"] = failure.ToFields();
                throw;
            }
        }

        static readonly int[] Redirects = { 301, 302, 303, 307, 308 };

        // One question on a connection of its own, on the way that the probe went.
        Answer Ask(string method, string headers, int most, bool textOnly)
        {
            using (Attempts attempts = new Attempts(new List<IPAddress>(new IPAddress[] { peer.Address }), peer.Port, 1, bounds.StageMs, run))
            {
                Attempt open = attempts.First();
                if (open == null) throw new Failure("http-reset", method + " " + Url + ": " + attempts.Reset());
                if (Tunnel) OpenTunnel(open.Socket, null);
                if (!Secure) return Exchange(open.Socket, new NetworkStream(open.Socket, false), method, headers, textOnly ? -most : most);
                Session session = Session.Open(open.Socket, host, peer.ToString(), bounds.StageMs, run, new Session());
                // Nothing is said over a session that this machine does not trust.
                Judge(session, null);
                return Exchange(open.Socket, session.Stream, method, headers, textOnly ? -most : most);
            }
        }

        // `most` octets of the body; less than zero: only of text.
        Answer Exchange(Socket socket, Stream stream, string method, string headers, int most)
        {
            string operation = method + " " + Url;
            bool usual = port == (Secure ? 443 : 80);
            string authority = usual ? host : host + ":" + port;
            string place = ByProxy ? scheme + "://" + authority + path : path;
            string request = method + " " + place + " HTTP/1.1\r\nHost: " + authority + "\r\nUser-Agent: " + bounds.Agent + "\r\n" + (headers.Contains("Accept:") ? "" : "Accept: */*\r\n") + "Accept-Encoding: identity\r\n" + headers + "\r\n";
            using (Deadline deadline = new Deadline(socket, bounds.StageMs, run))
            {
                try
                {
                    Talk talk = new Talk(stream);
                    talk.Send(request);
                    Answer answer = talk.Head(32 * 1024, 100);
                    if (most > 0 || (most < 0 && answer.IsText)) answer.Body = talk.Body(answer, Math.Abs(most));
                    return answer;
                }
                catch (Exception error)
                {
                    if (deadline.Passed) throw Failure.Silence("http-timeout", operation, bounds.StageMs);
                    throw Talk.Explain(operation, error, "http-reset", "http-protocol");
                }
            }
        }

        // What the plan asks for besides the layers. What is asked for here is judged elsewhere.
        void Look()
        {
            Fields asks = plan.Object("asks");
            if (asks == null) return;
            if (asks.Flag("byte_range")) Question("byte_range", "GET", "Range: bytes=0-0\r\n", 16 * 1024);
            if (asks.Text("content") != null) Question("content", "GET", "Accept: application/json\r\n", 64 * 1024);
            if (!asks.Flag("gateway")) return;
            string[] verbs = { "HEAD", "GET", "CCM_POST", "BITS_POST", "PROPFIND" };
            string headers = "Range: bytes=0-0\r\nCCMClientID: cmcomply\r\nCCMClientIDSignature: none\r\nCCMClientTimestamp: none\r\nCCMClientTimestampsSignature: none\r\n";
            foreach (string verb in verbs) Question("gateway", verb, headers, verb == "HEAD" ? 0 : 16 * 1024);
        }

        void Question(string what, string method, string headers, int most)
        {
            if (run.Over) return;
            Fields question = new Fields().With("what", what).With("method", method);
            try { question["answer"] = Ask(method, headers, most, false).ToFields(); }
            catch (Cancelled) { return; }
            catch (Failure failure) { question["failure"] = failure.ToFields(); }
            asked.Add(question);
        }

        // Where the answer sends its readers, as a probe, if the plan asks for that or `asked` says that a redirect to here does.
        public Fields Hop(int number, bool asked)
        {
            Fields asks = plan.Object("asks");
            Fields head = http.Evidence == null ? null : (http.Evidence.Object("get") ?? http.Evidence.Object("head"));
            if (head == null || http.Outcome != "ok" || !(asked || (asks != null && asks.Flag("redirects")))) return null;
            int status = head["status"] is int ? (int)head["status"] : 0;
            if (Array.IndexOf(Redirects, status) < 0) return null;
            string location = null;
            foreach (object item in head.Items("headers"))
            {
                Fields header = (Fields)item;
                if (location == null && header.Text("name") == "location") location = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(header.Text("value")));
            }
            Uri to;
            if (location == null || !Uri.TryCreate(new Uri(Url), location.Trim(), out to)) return null;
            bool web = (to.Scheme == "http" || to.Scheme == "https") && to.UserInfo.Length == 0 && to.HostNameType == UriHostNameType.Dns;
            string name = web ? Names.OfDns(to.Host) : null;
            if (name == null || to.Port < 1 || name == "localhost" || name.EndsWith(".localhost", StringComparison.Ordinal)) return null;
            string query = to.Query.ToLowerInvariant().Contains("sig=") ? "" : to.Query;
            Fields target = new Fields().With("scheme", to.Scheme).With("host", name).With("port", (long)to.Port).With("path", to.AbsolutePath + query);
            return new Fields().With("id", "hop " + number).With("hop_of", plan.Text("id")).With("target", target)
                .With("via", plan["via"]).With("asks", new Fields().With("redirects", true).With("public_only", allPublic));
        }

        Stage[] Stages() { return new Stage[] { name, tcp, connect, tls, trust, http }; }

        public Fields FirstFailure()
        {
            string[] names = { "name", "tcp", "connect", "tls", "trust", "http" };
            Stage[] stages = Stages();
            for (int i = 0; i < stages.Length; i++)
            {
                if (stages[i].Failed != null) return new Fields().With("stage", names[i]).With("failure", stages[i].Failed.ToFields());
            }
            return null;
        }

        // An answer that another moment may change is tried again, and silence is not.
        bool Again()
        {
            Fields first = FirstFailure();
            if (first == null) return false;
            long took = 0;
            foreach (Stage stage in Stages()) if (stage.Failed != null) took = stage.TookUs;
            string code = first.Object("failure").Text("code");
            if (code == "proxy-refused")
            {
                int status = connect.Evidence == null ? 0 : (int)connect.Evidence["status"];
                return status == 429 || status == 500 || (status >= 502 && status <= 504);
            }
            if (code == "http-status")
            {
                int status = (int)http.Evidence.Object("head")["status"];
                return status == 408 || status == 502 || status == 598 || status == 599;
            }
            string[] may = { "name-servfail", "name-error", "tcp-refused", "tcp-reset", "tcp-unreachable", "tcp-error", "proxy-bad-reply", "tls-reset", "http-reset" };
            return Array.IndexOf(may, code) >= 0 && took / 1000 <= bounds.StageMs / 2;
        }
    }

    // The bounds of the plan, or smaller ones.
    internal sealed class Bounds
    {
        public int StageMs, AtOnce, Addresses, Retries;
        public string Agent;
    }
}
