// TCP: every address at once, since a firewall may open some and not others.
namespace Cmcomply
{
    using System;
    using System.Collections.Generic;
    using System.Diagnostics;
    using System.Net;
    using System.Net.Sockets;
    using System.Threading;

    // One connection.
    internal sealed class Attempt
    {
        public readonly IPEndPoint Where;
        public Socket Socket;
        public long TookUs;
        public Failure Failed;
        public bool Ended;
        int done;
        readonly object gate;
        readonly Stopwatch clock = Stopwatch.StartNew();

        public Attempt(IPAddress address, int port, object gate)
        {
            Where = new IPEndPoint(address, port);
            this.gate = gate;
        }

        public bool Opened { get { return Ended && Failed == null; } }

        public void Start()
        {
            try
            {
                Socket = new Socket(Where.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                Socket.NoDelay = true;
                IAsyncResult result = Socket.BeginConnect(Where, Done, null);
                // Mono calls nobody back for what failed at once.
                if (result.IsCompleted) Done(result);
            }
            catch (SocketException error) { End(Explain(error)); }
        }

        void Done(IAsyncResult result)
        {
            if (Interlocked.Exchange(ref done, 1) == 1) return;
            try
            {
                Socket.EndConnect(result);
                End(null);
            }
            catch (SocketException error) { End(Explain(error)); }
            catch (Exception error) { End(new Failure("tcp-error", "connect to " + Where + ": " + error.Message)); }
        }

        // The first end counts: after a deadline, closing the socket brings another.
        public void End(Failure failure)
        {
            lock (gate)
            {
                if (Ended) return;
                Ended = true;
                Failed = failure;
                TookUs = Stage.Micros(clock);
                Monitor.PulseAll(gate);
            }
            if (failure != null && Socket != null) Socket.Close();
        }

        Failure Explain(SocketException error) { return new Failure(CodeOf(error), "connect to " + Where + ": " + WordsOf(error)); }

        string CodeOf(SocketException error)
        {
            bool v6 = Where.AddressFamily == AddressFamily.InterNetworkV6;
            switch (error.SocketErrorCode)
            {
                case SocketError.ConnectionRefused: return "tcp-refused";
                case SocketError.ConnectionReset:
                case SocketError.ConnectionAborted: return "tcp-reset";
                case SocketError.TimedOut: return "tcp-timeout";
                case SocketError.HostUnreachable:
                case SocketError.NetworkUnreachable:
                case SocketError.NetworkDown:
                case SocketError.AddressFamilyNotSupported: return "tcp-unreachable";
                case SocketError.AccessDenied: return "tcp-forbidden";
                case SocketError.TooManyOpenSockets:
                case SocketError.NoBufferSpaceAvailable: return "internal";
                case SocketError.AddressNotAvailable: return v6 ? "tcp-unreachable" : "tcp-error";
                default: return "tcp-error";
            }
        }

        // In words that do not depend on the language of the machine.
        public static string WordsOf(SocketException error)
        {
            switch (error.SocketErrorCode)
            {
                case SocketError.ConnectionRefused: return "connection refused";
                case SocketError.ConnectionReset: return "connection reset";
                case SocketError.ConnectionAborted: return "connection aborted";
                case SocketError.HostUnreachable: return "host unreachable";
                case SocketError.NetworkUnreachable: return "network unreachable";
                case SocketError.TimedOut: return "timed out";
                default: return "error " + (int)error.SocketErrorCode + " (" + error.SocketErrorCode + ")";
            }
        }
    }

    // The connections of one probe.
    internal sealed class Attempts : IDisposable
    {
        // How much later an address of a better place may open and still be used.
        const int GraceMs = 20;
        readonly object gate = new object();
        readonly List<Attempt> all = new List<Attempt>();
        readonly Stopwatch clock = Stopwatch.StartNew();
        readonly int limit;
        readonly int untried;
        readonly RunTime run;

        public Attempts(List<IPAddress> addresses, int port, int bound, int limit, RunTime run)
        {
            this.limit = limit;
            this.run = run;
            for (int i = 0; i < addresses.Count && i < bound; i++) all.Add(new Attempt(addresses[i], port, gate));
            untried = addresses.Count - all.Count;
            foreach (Attempt attempt in all) attempt.Start();
        }

        // The first that opens; of those within a short grace, the first in the order of the addresses. Null if one was
        // open and reset at once, and no other opened: the next layer says what that means to it.
        public Attempt First()
        {
            lock (gate)
            {
                while (Best() == null && !AllEnded() && Wait(limit)) { }
                if (Best() != null && !AllEnded()) Monitor.Wait(gate, GraceMs);
            }
            Attempt best = Best();
            if (best == null)
            {
                run.Check();
                Finish();
                if (Judge() != null) throw Judge();
            }
            return best;
        }

        // Waits for all, until their deadline.
        public void Finish()
        {
            lock (gate)
            {
                while (!AllEnded() && Wait(limit)) { }
            }
            foreach (Attempt attempt in all)
            {
                if (!attempt.Ended && !run.Over) attempt.End(Failure.Silence("tcp-timeout", "connect to " + attempt.Where, limit));
            }
        }

        public Fields Evidence()
        {
            List<object> shown = new List<object>();
            foreach (Attempt attempt in all)
            {
                if (!attempt.Ended) continue;
                Fields one = new Fields().With("address", attempt.Where.ToString()).With("took_us", attempt.TookUs);
                if (attempt.Failed != null) one["failure"] = attempt.Failed.ToFields();
                shown.Add(one);
            }
            return new Fields().With("attempts", shown).With("untried", untried + all.Count - shown.Count);
        }

        public string Reset()
        {
            foreach (Attempt attempt in all)
            {
                if (attempt.Failed != null && attempt.Failed.Code == "tcp-reset") return attempt.Failed.Message;
            }
            return "connection reset";
        }

        public void Dispose()
        {
            foreach (Attempt attempt in all) if (attempt.Socket != null) attempt.Socket.Close();
        }

        bool Wait(int until)
        {
            long left = Math.Min(until - clock.ElapsedMilliseconds, run.Left);
            return left > 0 && (Monitor.Wait(gate, (int)Math.Min(left, 1000)) || true);
        }

        Attempt Best()
        {
            foreach (Attempt attempt in all) if (attempt.Opened) return attempt;
            return null;
        }

        bool AllEnded()
        {
            foreach (Attempt attempt in all) if (!attempt.Ended) return false;
            return true;
        }

        // What all attempts together mean when none opened; null if one was open and reset at once.
        Failure Judge()
        {
            List<Failure> v4 = new List<Failure>(), every = new List<Failure>();
            bool noV6 = true;
            foreach (Attempt attempt in all)
            {
                // An address that could not be tried might have been the one that opens.
                if (attempt.Failed.Code == "internal") return attempt.Failed;
                if (attempt.Failed.Code == "tcp-reset") return null;
                every.Add(attempt.Failed);
                if (attempt.Where.AddressFamily == AddressFamily.InterNetwork) v4.Add(attempt.Failed);
                else if (attempt.Failed.Code != "tcp-unreachable") noV6 = false;
            }
            // A machine without a route for IPv6 says so for every name; what matters is then how IPv4 failed.
            List<Failure> telling = noV6 && v4.Count > 0 ? v4 : every;
            string code = telling[0].Code;
            List<string> shown = new List<string>();
            foreach (Failure failure in telling)
            {
                if (failure.Code != code) code = "tcp-error";
                if (shown.Count < 3) shown.Add(failure.Message);
            }
            string more = telling.Count > 3 ? " (and " + (telling.Count - 3) + " more)" : "";
            return new Failure(code, string.Join("; ", shown.ToArray()) + more);
        }
    }
}
