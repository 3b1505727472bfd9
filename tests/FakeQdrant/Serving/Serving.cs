using Grpc.Core;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Puts faults and the right to write before each method.</summary>
internal sealed class Serving(Faults faults, ApiKeys keys, TimeProvider time, Journal? journal)
{
    public async Task<byte[]> AnswerAsync(Rpc rpc, byte[] request, ServerCallContext context)
    {
        var call = (RecordedCall)context.GetHttpContext().Items[typeof(RecordedCall)]!;
        call.Request = request;
        var fault = faults.Take(call);
        if (fault?.Delay is { } delay) await Task.Delay(delay, time, context.CancellationToken);
        if (fault is { Status: not StatusCode.OK, AfterApplying: false }) throw fault.ToException();
        var caller = new Caller(keys.MayWrite(call.Headers), fault?.LoseWrites == true, fault?.WaitTimesOut == true);
        var answer = journal is not null && rpc.Writes ? journal.Write(rpc, request, caller) : rpc.Answer(request, caller);
        return fault is { Status: not StatusCode.OK } ? throw fault.ToException() : answer;
    }
}
