// HTTP/1.1 by hand: one question, and the beginning of the answer. A general client hides who refused.
namespace Cmcomply
{
    using System;
    using System.Collections.Generic;
    using System.IO;
    using System.Net.Sockets;
    using System.Text;

    // The beginning of an answer. What it means is judged elsewhere.
    internal sealed class Answer
    {
        public int Status;
        public string Reason = "";
        // Name in lower case, and value: Latin-1, so that no octet is lost.
        public readonly List<KeyValuePair<string, string>> Headers = new List<KeyValuePair<string, string>>();
        public byte[] Body;

        public string Header(string name)
        {
            foreach (KeyValuePair<string, string> header in Headers) if (header.Key == name) return header.Value;
            return null;
        }

        public Fields ToFields()
        {
            List<object> headers = new List<object>();
            foreach (KeyValuePair<string, string> header in Headers)
            {
                // No cookies, and nothing longer than what is kept.
                if (header.Key == "set-cookie" || headers.Count == MaxKept) continue;
                string value = header.Value.Length > MaxValue ? header.Value.Substring(0, MaxValue) : header.Value;
                byte[] octets = Encoding.GetEncoding(28591).GetBytes(value);
                headers.Add(new Fields().With("name", header.Key).With("value", Convert.ToBase64String(octets)));
            }
            Fields all = new Fields().With("status", Status).With("headers", headers);
            if (Body != null) all["body"] = Convert.ToBase64String(Body);
            return all;
        }

        // Whether the content is HTML, or of a kind that is not said.
        public bool IsHtml
        {
            get
            {
                string kind = Header("content-type");
                return string.IsNullOrEmpty(kind) || kind.ToLowerInvariant().Contains("html");
            }
        }

        // Whether the content is such as people read.
        public bool IsText
        {
            get { return IsHtml || Header("content-type").ToLowerInvariant().StartsWith("text/"); }
        }

        const int MaxKept = 100;
        const int MaxValue = 4200;
    }

    // One connection that speaks HTTP.
    internal sealed class Talk
    {
        const string Beginning = "HTTP/1.";
        readonly Stream stream;
        readonly byte[] buffer = new byte[8192];
        int start, end;

        public Talk(Stream stream) { this.stream = stream; }

        // Octets that came after what was read.
        public int Extra { get { return end - start; } }

        public void Send(string request)
        {
            byte[] octets = Encoding.ASCII.GetBytes(request);
            stream.Write(octets, 0, octets.Length);
            stream.Flush();
        }

        // The head of the answer; the heads of provisional answers (1xx) are passed over.
        public Answer Head(int most, int mostHeaders)
        {
            while (true)
            {
                Answer answer = Parse(ReadHead(most), mostHeaders);
                if (answer.Status < 100 || answer.Status > 199 || answer.Status == 101) return answer;
            }
        }

        // The beginning of the body.
        public byte[] Body(Answer answer, int most)
        {
            using (MemoryStream kept = new MemoryStream())
            {
                string coding = answer.Header("transfer-encoding");
                if (answer.Status == 204 || answer.Status == 304) { }
                else if (coding != null && coding.ToLowerInvariant().EndsWith("chunked")) ReadChunks(kept, most);
                else if (answer.Header("content-length") != null) ReadSome(kept, LengthOf(answer), most, true);
                else ReadSome(kept, long.MaxValue, most, false);
                return kept.ToArray();
            }
        }

        static long LengthOf(Answer answer)
        {
            long length;
            if (!long.TryParse(answer.Header("content-length"), out length) || length < 0) throw new InvalidDataException("a length that is none");
            return length;
        }

        void ReadChunks(MemoryStream kept, int most)
        {
            while (kept.Length < most)
            {
                long length = 0;
                int digits = 0;
                bool inSize = true;
                // Hexadecimal digits, perhaps an extension, and a line end.
                for (int i = 0; ; i++)
                {
                    int octet = Next(true);
                    if (octet == '\n') break;
                    if (i > 1024) throw new InvalidDataException("a chunk without end of its size");
                    int digit = "0123456789abcdef".IndexOf(char.ToLowerInvariant((char)octet));
                    if (inSize && digit >= 0 && digits++ < 15) length = length * 16 + digit;
                    else if (inSize && digit >= 0) throw new InvalidDataException("a chunk larger than any");
                    else inSize = false;
                }
                if (digits == 0) throw new InvalidDataException("a chunk without a size");
                if (length == 0) return;
                ReadSome(kept, length, most, true);
                if (kept.Length >= most) return;
                int mark = Next(true);
                if (mark == '\r') mark = Next(true);
                if (mark != '\n') throw new InvalidDataException("a chunk longer than its size");
            }
        }

        // So much, or less if that is enough. Where the length was told, an earlier end is an error.
        void ReadSome(MemoryStream kept, long length, int most, bool told)
        {
            for (; length > 0 && kept.Length < most; length--)
            {
                int octet = Next(told);
                if (octet < 0) return;
                kept.WriteByte((byte)octet);
            }
        }

        byte[] ReadHead(int most)
        {
            using (MemoryStream head = new MemoryStream())
            {
                int line = 0;
                while (true)
                {
                    int octet = Next(false);
                    if (octet < 0 && head.Length == 0) throw new EndOfStreamException("closed without an answer");
                    if (octet < 0) throw new EndOfStreamException("closed in the middle of its answer");
                    // Empty lines before an answer are allowed.
                    if (head.Length == 0 && (octet == '\r' || octet == '\n')) continue;
                    if (head.Length >= most) throw new InvalidDataException("a head of more than " + most + " bytes");
                    head.WriteByte((byte)octet);
                    // What is no HTTP need not be awaited to its end.
                    if (head.Length <= Beginning.Length && octet != Beginning[(int)head.Length - 1]) throw new InvalidDataException("no HTTP");
                    if (octet == '\n' && line == 0) return head.ToArray();
                    if (octet == '\n') line = 0;
                    else if (octet != '\r') line++;
                }
            }
        }

        int Next(bool needed)
        {
            if (start == end)
            {
                start = 0;
                end = Math.Max(0, stream.Read(buffer, 0, buffer.Length));
                if (end == 0 && needed) throw new EndOfStreamException("closed in the middle of its answer");
                if (end == 0) return -1;
            }
            return buffer[start++];
        }

        static Answer Parse(byte[] head, int mostHeaders)
        {
            Answer answer = new Answer();
            string[] lines = Encoding.GetEncoding(28591).GetString(head).Split('\n');
            string first = lines[0].TrimEnd('\r');
            bool version = first.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) || first.StartsWith("HTTP/1.0 ", StringComparison.Ordinal);
            if (!version || first.Length < 12 || !int.TryParse(first.Substring(9, 3), out answer.Status)) throw new InvalidDataException("no HTTP");
            if (answer.Status < 100 || (first.Length > 12 && first[12] != ' ') || !IsText(first)) throw new InvalidDataException("no HTTP");
            answer.Reason = first.Length > 13 ? first.Substring(13) : "";
            for (int i = 1; i < lines.Length; i++)
            {
                string line = lines[i].TrimEnd('\r');
                if (line.Length == 0) continue;
                int colon = line.IndexOf(':');
                if (colon <= 0 || !IsName(line.Substring(0, colon)) || !IsText(line)) throw new InvalidDataException("no HTTP: a header that is none");
                if (answer.Headers.Count == mostHeaders) throw new InvalidDataException("no HTTP: more than " + mostHeaders + " headers");
                answer.Headers.Add(new KeyValuePair<string, string>(line.Substring(0, colon).ToLowerInvariant(), line.Substring(colon + 1).Trim(' ', '\t')));
            }
            return answer;
        }

        static bool IsName(string text)
        {
            foreach (char c in text) if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || "!#$%&'*+-.^_`|~".IndexOf(c) >= 0)) return false;
            return true;
        }

        static bool IsText(string text)
        {
            foreach (char c in text) if ((c < ' ' && c != '\t') || c == '\x7f') return false;
            return true;
        }

        // What an error of an exchange means, where no deadline was over.
        public static Failure Explain(string operation, Exception error, string cut, string noHttp)
        {
            Exception inner = error.InnerException ?? error;
            SocketException socket = inner as SocketException;
            if (error is InvalidDataException) return new Failure(noHttp, operation + ": the answer is no HTTP that is understood: " + error.Message);
            if (socket != null) return new Failure(cut, operation + ": " + Attempt.WordsOf(socket));
            return new Failure(cut, operation + ": " + inner.Message);
        }
    }
}
