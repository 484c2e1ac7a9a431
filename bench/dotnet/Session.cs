// One side of a measurement, as in session.hpp: clocks, latencies and the pattern in the bytes.
using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

enum Workload { round_trip, stream, queued, connect }

sealed class Session
{
    const int ReadSizeOfStreams = 64 << 10;

    readonly ulong size;
    readonly ulong warm;
    readonly bool client;
    readonly bool verify;
    readonly int listeningFd;
    readonly int reportFd;
    readonly List<uint> latencies = new();
    ulong done, arrived, patternOut, patternIn, cpuStart, wallStart, previous;

    public Session(string[] words)
    {
        client = words[0] == "ask";
        Async = words[1] == "async";
        Workload = Enum.Parse<Workload>(words[2]);
        size = ulong.Parse(words[3]);
        warm = ulong.Parse(words[4]);
        Total = warm + ulong.Parse(words[5]);
        verify = words[6] == "1";
        Path = words[7];
        listeningFd = int.Parse(words[8]);
        reportFd = int.Parse(words[9]);
        Outgoing = new byte[size];
        Incoming = new byte[OneWay ? Math.Max(size, ReadSizeOfStreams) : size];
    }

    public bool Serves => !client;
    public bool Async { get; }
    public Workload Workload { get; }
    public bool OneWay => Workload is Workload.stream or Workload.queued;
    public ulong Total { get; }
    public string Path { get; }
    public byte[] Outgoing { get; }
    public byte[] Incoming { get; }
    public ulong BytesToCome => Total * size - arrived;

    public void Listening()
    {
        if (listeningFd >= 0) WriteTo(listeningFd, new byte[] { 1 });
    }

    public void Step()
    {
        if (done == warm) Start();
        if (client && !OneWay && done >= warm) Note();
        ++done;
    }

    public void Arrived(int bytes)
    {
        if (wallStart == 0 && arrived >= warm * size) Start();
        arrived += (ulong)bytes;
    }

    public void Stamp()
    {
        if (!verify) return;
        for (int i = 0; i < Outgoing.Length; ++i) Outgoing[i] = PatternAt(patternOut++);
    }

    public void Check(int bytes)
    {
        if (!verify) return;
        for (int i = 0; i < bytes; ++i)
            if (Incoming[i] != PatternAt(patternIn++)) throw new InvalidDataException($"wrong byte at {patternIn - 1}");
    }

    public void Finish()
    {
        ulong wall = Monotonic() - wallStart, cpu = ProcessTime() - cpuStart;
        if (verify && patternIn != (Serves || !OneWay ? Total * size : 0)) throw new InvalidDataException("bytes are missing");
        latencies.Sort();
        var figures = new[] { cpu, wall, Percentile(50), Percentile(99) };
        WriteTo(reportFd, MemoryMarshal.AsBytes(figures.AsSpan()).ToArray());
    }

    ulong Percentile(int percent) => latencies.Count == 0 ? 0 : latencies[(latencies.Count - 1) * percent / 100];

    void Start()
    {
        cpuStart = ProcessTime();
        wallStart = Monotonic();
    }

    void Note()
    {
        ulong now = Monotonic();
        if (previous != 0) latencies.Add((uint)Math.Min(now - previous, uint.MaxValue));
        previous = now;
    }

    static byte PatternAt(ulong position) => (byte)(position * 131 + position / 251);

    static void WriteTo(int fd, byte[] bytes)
    {
        using var stream = new FileStream(new SafeFileHandle(fd, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        stream.Write(bytes);
    }

    static ulong Monotonic() => (ulong)Stopwatch.GetTimestamp() * (1_000_000_000UL / (ulong)Stopwatch.Frequency);

    struct Timespec
    {
        public nint Seconds, Nanoseconds;
    }

    [DllImport("libc")]
    static extern int clock_gettime(int which, out Timespec now);

    // Process.TotalProcessorTime counts in ticks of 10 ms.
    static ulong ProcessTime()
    {
        const int ClockProcessCpuTimeId = 2;
        if (clock_gettime(ClockProcessCpuTimeId, out var now) != 0) throw new InvalidOperationException("clock_gettime");
        return (ulong)now.Seconds * 1_000_000_000 + (ulong)now.Nanoseconds;
    }
}
