// Runs probes, so many at once, until all are done or the time of the run is over.
namespace Cmcomply
{
    using System;
    using System.Collections.Generic;
    using System.Globalization;
    using System.Security.Cryptography;
    using System.Text;
    using System.Threading;

    internal static class Clock
    {
        public static string Now() { return DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture); }
    }

    internal static class Digest
    {
        // SHA-256, in hexadecimal.
        public static string Of(string text)
        {
            // This one also works where only validated cryptography is allowed (FIPS).
            using (SHA256 hash = new SHA256CryptoServiceProvider())
            {
                return BitConverter.ToString(hash.ComputeHash(new UTF8Encoding(false).GetBytes(text))).Replace("-", "").ToLowerInvariant();
            }
        }
    }

    internal static class Runner
    {
        // More at once would only cost threads.
        const int MostAtOnce = 64;

        // The probes in their order, each of them run or not begun when the time is over.
        public static List<Probe> RunAll(List<Fields> plans, Bounds bounds, RunTime run)
        {
            List<Probe> probes = new List<Probe>();
            foreach (Fields plan in plans) probes.Add(new Probe(plan, bounds, run));
            int next = -1;
            List<Thread> threads = new List<Thread>();
            for (int i = 0; i < Math.Min(bounds.AtOnce, probes.Count); i++)
            {
                threads.Add(Begin(delegate
                {
                    for (int mine = Interlocked.Increment(ref next); mine < probes.Count && !run.Over; mine = Interlocked.Increment(ref next)) probes[mine].Run();
                }));
            }
            // What does not end with the time of the run is left behind: it ends with the process.
            foreach (Thread thread in threads) thread.Join((int)Math.Min(int.MaxValue, run.Left + 3000));
            return probes;
        }

        public static Thread Begin(ThreadStart work)
        {
            Thread thread = new Thread(work, 512 * 1024);
            thread.IsBackground = true;
            thread.Start();
            return thread;
        }

        public static Bounds BoundsOf(Fields given, string agent)
        {
            Bounds bounds = new Bounds();
            bounds.StageMs = given.Number("stage_timeout_ms");
            bounds.AtOnce = Math.Min(given.Number("probes_at_once"), MostAtOnce);
            bounds.Addresses = given.Number("addresses");
            bounds.Retries = given.Number("retries");
            bounds.Agent = agent;
            return bounds;
        }
    }
}
