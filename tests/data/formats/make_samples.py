import torch, os, sys
from torch import nn
import re
def clean(ep):
    for gm in ep.graph_module.modules():
        if not hasattr(gm,'graph'): continue
        for n in gm.graph.nodes:
            st=n.meta.get('stack_trace')
            if st: n.meta['stack_trace']=re.sub(r'File "[^"]*/([^"/]+)"', r'File "\1"', st)
    return ep
_export=torch.export.export
torch.export.export=lambda *a,**k: clean(_export(*a,**k))
class Net(nn.Module):
    def __init__(s):
        super().__init__()
        s.conv=nn.Conv2d(1,2,3,padding=1); s.bn=nn.BatchNorm2d(2); s.fc=nn.Linear(8,3)
        s.register_buffer('np_buf', torch.ones(3), persistent=False)
    def forward(s,x,scale:int=2,*,bias=None):
        y=torch.relu(s.bn(s.conv(x)))
        y=torch.nn.functional.max_pool2d(y,2).flatten(1)
        y=s.fc(y)*torch.tensor([1.,2.,3.])+s.np_buf
        return y if bias is None else y+bias
torch.manual_seed(0)
m=Net().eval()
x=torch.randn(1,1,4,4)
ep=torch.export.export(m,(x,2),{'bias':torch.ones(3)})
torch.export.save(ep,'tiny_cnn.pt2')
class Dyn(nn.Module):
    def __init__(s): super().__init__(); s.l=nn.Linear(4,2).half()
    def forward(s,xs): 
        a,b=xs
        return torch.cat([s.l(a['k']),b],dim=1).sum(), (a['k'].shape[0]*2)
d=torch.export.Dim('n',min=2,max=9)
ep2=torch.export.export(Dyn(),(({'k':torch.ones(3,4).half()},torch.ones(3,1).half()),),dynamic_shapes=((({'k':{0:d}},{0:d})),))
torch.export.save(ep2,'dynamic.pt2')
# torch 2.8 style pieces
torch.save({k:v for k,v in m.state_dict().items()},'weights.pt')
torch.save((x,torch.arange(3,dtype=torch.uint8),nn.Parameter(torch.ones(2,2).bfloat16()),torch.tensor([1+2j]),torch.ones(2,dtype=torch.uint16),{'a':1,'b':[True,None,'s',2.5,-7,2**40]}),'misc.pt')
from executorch.exir import to_edge_transform_and_lower, to_edge, EdgeCompileConfig
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
class Small(nn.Module):
    def __init__(s):
        super().__init__(); s.conv=nn.Conv2d(1,2,3,padding=1); s.fc=nn.Linear(8,3)
    def forward(s,x):
        y=torch.nn.functional.max_pool2d(torch.relu(s.conv(x)),2).flatten(1)
        return torch.softmax(s.fc(y),-1)
torch.manual_seed(0)
sm=Small().eval()
for name,parts in (('portable',[]),('xnnpack',[XnnpackPartitioner()])):
    e=torch.export.export(sm,(x,))
    p=to_edge_transform_and_lower(e,partitioner=parts,generate_etrecord=True).to_executorch()
    open(f'tiny_{name}.pte','wb').write(p.buffer)
    p.get_etrecord().save(f'tiny_{name}.etrecord')
class Counter(nn.Module):
    def __init__(s): super().__init__(); s.register_buffer('n',torch.ones(2))
    def forward(s,x):
        s.n.add_(1.0); return x+s.n
from executorch.exir import ExecutorchBackendConfig
from executorch.exir.passes.init_mutable_pass import InitializedMutableBufferPass
p=to_edge(torch.export.export(Counter(),(torch.ones(2),))).to_executorch(ExecutorchBackendConfig(passes=[InitializedMutableBufferPass(['n'])]))
open('state.pte','wb').write(p.buffer)
from executorch.extension.pybindings import portable_lib as pl
for name in ('portable','xnnpack'):
    mod=pl._load_for_executorch(f'tiny_{name}.pte',enable_etdump=True,debug_buffer_size=1<<16)
    for _ in range(2): mod.run_method('forward',(x,))
    mod.write_etdump_result_to_file(f'tiny_{name}.etdump',f'tiny_{name}.debug')
try:
    from executorch.devtools import BundledProgram
    from executorch.devtools.bundled_program.config import MethodTestCase, MethodTestSuite
    from executorch.devtools.bundled_program.serialize import serialize_from_bundled_program_to_flatbuffer
    p=to_edge_transform_and_lower(torch.export.export(sm,(x,))).to_executorch()
    b=BundledProgram(p,[MethodTestSuite('forward',[MethodTestCase(inputs=(x,),expected_outputs=(sm(x),))])])
    open('tiny.bpte','wb').write(serialize_from_bundled_program_to_flatbuffer(b))
except Exception as ex: print('bpte',ex)
try:
    p=to_edge_transform_and_lower(torch.export.export(sm,(x,)),partitioner=[]).to_executorch(ExecutorchBackendConfig(external_constants=True))
    open('external.pte','wb').write(p.buffer)
    p.write_tensor_data_to_file('.')
except Exception as ex: print('ptd',ex)
import numpy as np
np.save('f4.npy',np.arange(6,dtype='<f4').reshape(2,3)); np.save('fortran.npy',np.asfortranarray(np.arange(6,dtype='<i8').reshape(2,3)))
np.save('b1.npy',np.array([True,False])); np.save('scalar.npy',np.float16(2.5))
