using Grpc.AspNetCore.Server.Model;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Tells ASP.NET Core of the methods.</summary>
internal sealed class ServingMethods(IReadOnlyList<Rpc> methods) : IServiceMethodProvider<Serving>
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<Serving> context)
    {
        foreach (var rpc in methods)
            context.AddUnaryMethod(rpc.Method, [], (serving, request, call) => serving.AnswerAsync(rpc, request, call));
    }
}
