// How a stage of a probe ends, and the time that it has.
namespace Cmcomply
{
    using System;
    using System.Diagnostics;
    using System.Net.Sockets;
    using System.Threading;

    // A stage that did not succeed: a code of the observations document, and what exactly was seen.
    internal sealed class Failure : Exception
    {
        public readonly string Code;

        public Failure(string code, string detail) : base(detail) { Code = code; }

        public static Failure Silence(string code, string operation, int limit)
        {
            return new Failure(code, operation + ": no answer within " + limit + " ms");
        }

        public Fields ToFields() { return new Fields().With("code", Code).With("detail", Cut(Message)); }

        public static string Cut(string text) { return text.Length > 400 ? text.Substring(0, 400) : text; }
    }

    // The run ended before the stage did.
    internal sealed class Cancelled : Exception { }

    // One stage of a probe.
    internal sealed class Stage
    {
        public string Outcome = "not_tried";
        public long TookUs = -1;
        public Failure Failed;
        public Fields Evidence;

        // Runs the work and writes down how it ended. False if it did not succeed.
        public bool Try(Action work)
        {
            Stopwatch clock = Stopwatch.StartNew();
            try
            {
                work();
                Outcome = "ok";
            }
            catch (Cancelled) { Outcome = "cancelled"; }
            catch (Failure failure) { Fail(failure); }
            catch (Exception error) { Fail(new Failure("internal", "the probe itself broke: " + error.GetType().Name + ": " + error.Message)); }
            TookUs = Micros(clock);
            return Outcome == "ok";
        }

        public void Fail(Failure failure)
        {
            Outcome = "failed";
            Failed = failure;
        }

        public Fields ToFields()
        {
            Fields all = new Fields().With("outcome", Outcome);
            if (TookUs >= 0) all["took_us"] = TookUs;
            if (Failed != null) all["failure"] = Failed.ToFields();
            if (Evidence != null) all["evidence"] = Evidence;
            return all;
        }

        public static long Micros(Stopwatch clock) { return clock.ElapsedTicks / Math.Max(1, Stopwatch.Frequency / 1000000); }
    }

    // The time of the whole run. A process on another machine outlives a lost connection, so it ends by itself.
    internal sealed class RunTime
    {
        readonly Stopwatch clock = Stopwatch.StartNew();
        readonly long limit;

        public RunTime(long limit) { this.limit = limit; }

        public long Left { get { return Math.Max(0, limit - clock.ElapsedMilliseconds); } }

        public bool Over { get { return Left == 0; } }

        // At most so long, and not beyond the end of the run.
        public int Within(long wanted) { return (int)Math.Max(1, Math.Min(wanted, Left)); }

        public void Check() { if (Over) throw new Cancelled(); }
    }

    // Closes the socket when the time is over: no read, write or handshake outlives it.
    internal sealed class Deadline : IDisposable
    {
        readonly Timer timer;
        readonly RunTime run;
        volatile bool passed;

        public Deadline(Socket socket, int limit, RunTime run)
        {
            this.run = run;
            timer = new Timer(delegate { passed = true; socket.Close(); }, null, run.Within(limit), Timeout.Infinite);
        }

        // Whether the time was over. Throws if it was the time of the run.
        public bool Passed
        {
            get
            {
                if (passed) run.Check();
                return passed;
            }
        }

        public void Dispose() { timer.Dispose(); }
    }
}
