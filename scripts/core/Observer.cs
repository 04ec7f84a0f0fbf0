// The door: takes a plan, runs all its probes at once within its bounds, and gives back what was seen.
namespace Cmcomply
{
    using System;
    using System.Collections.Generic;
    using System.Net.NetworkInformation;
    using System.Threading;

    public static class Observer
    {
        const int MaxHops = 64;
        const int MaxDepth = 5;

        // Whether the plan is to be run as SYSTEM.
        public static bool WantsSystem(string data) { return JsonReader.Read(data).Flag("as_system"); }

        // How long a run takes at the most.
        public static int Seconds(string data)
        {
            return JsonReader.Read(data).Object("plan").Object("bounds").Number("deadline_ms") / 1000 + 10;
        }

        // `data` holds the plan and what is asked besides; the answer is one JSON document in ASCII.
        public static string Run(string data, string shell, string mode)
        {
            string started = Clock.Now();
            Fields given = JsonReader.Read(data);
            Fields plan = given.Object("plan");
            Bounds bounds = Runner.BoundsOf(plan.Object("bounds"), given.Text("agent"));
            RunTime run = new RunTime(plan.Object("bounds").Number("deadline_ms"));
            Fields seen = new Fields().With("format", "cmcomply.seen/1").With("agent", bounds.Agent).With("plan_sha256", plan.Text("sha256")).With("plan_host", plan.Text("host"));

            // Facts come from this machine alone, and yet a store may hang.
            Fields facts = null;
            Thread reading = Runner.Begin(delegate { facts = Facts.Read(given.Items("roots"), shell, mode); });
            List<Fields> wave = new List<Fields>();
            foreach (object probe in plan.Items("probes")) wave.Add((Fields)probe);
            List<Fields> observations = new List<Fields>();
            // Who looked at each way; nobody yet where the look is still to come.
            Dictionary<string, Probe> ways = new Dictionary<string, Probe>();
            HashSet<string> followed = new HashSet<string>();
            for (int depth = 0, hops = 0; wave.Count > 0; depth++)
            {
                List<Probe> probes = Runner.RunAll(wave, bounds, run);
                wave = new List<Fields>();
                foreach (Probe probe in probes)
                {
                    ways[probe.Way] = probe;
                    observations.Add(probe.ToFields());
                }
                foreach (Probe probe in probes)
                {
                    // Past endpoints of the plan to where these lead.
                    for (Probe from = probe; from != null; )
                    {
                        Fields hop = depth < MaxDepth && hops < MaxHops ? from.Hop(hops + 1, from != probe) : null;
                        if (hop == null) break;
                        string way = new Probe(hop, bounds, run).Way;
                        Probe there;
                        if (!ways.TryGetValue(way, out there))
                        {
                            ways[way] = null;
                            hops++;
                            wave.Add(hop);
                        }
                        from = there != null && followed.Add(way) ? there : null;
                    }
                }
            }
            if (!reading.Join(run.Within(bounds.StageMs * 2))) facts = null;

            Fields vantage = new Fields().With("os", Environment.OSVersion.Platform == PlatformID.Win32NT ? "windows" : "other").With("name", Facts.MachineName()).With("domain", Domain()).With("account", Account());
            seen.With("machine", vantage).With("facts", facts).With("observations", observations);
            // Those of the plan, also where fewer run at once: whoever reads this tells the plan by them.
            seen.With("bounds", new Fields().With("stage_timeout_ms", bounds.StageMs).With("deadline_ms", plan.Object("bounds").Number("deadline_ms"))
                .With("probes_at_once", plan.Object("bounds").Number("probes_at_once")).With("addresses", bounds.Addresses).With("retries", bounds.Retries));
            seen.With("interrupted", run.Over ? "the deadline of the plan" : null).With("started", started).With("finished", Clock.Now());
            seen["sha256"] = Digest.Of(JsonWriter.Write(seen, false));
            return JsonWriter.Write(seen, true);
        }

        static string Domain()
        {
            try { return IPGlobalProperties.GetIPGlobalProperties().DomainName; }
            catch (Exception) { return null; }
        }

        static string Account()
        {
            try
            {
                System.Security.Principal.WindowsIdentity who = System.Security.Principal.WindowsIdentity.GetCurrent();
                // Its name is another one on a Windows in another language.
                return who.IsSystem ? "S-1-5-18" : who.Name;
            }
            catch (Exception) { return null; }
        }
    }
}
